import { Inject, Injectable } from "@nestjs/common";
import Redis from "ioredis";

import { REDIS } from "./redis.module.js";

/** One recipient: docs/schema/element.schema.json. Without an address, Fanfare looks the user's up. */
export interface Recipient {
  userId: string;
  fcmToken?: string;
  fid?: string;
  vars?: Record<string, unknown>;
  locale?: string;
  timeZone?: string;
}

/** The fields of docs/schema/spec.schema.json that this application sets. */
export interface Options {
  name?: string;
  priority?: number;
  /** Pushes a second over all dispatchers. */
  rate?: number;
  deadline?: Date;
}

// A command takes about 100,000 arguments, and a long one blocks Redis for others.
const CHUNK = 1000;

const DAY_IN_SECONDS = 24 * 60 * 60;

@Injectable()
export class CampaignService {
  constructor(@Inject(REDIS) private readonly redis: Redis) {}

  /** Creates a draft: recipients can be loaded, and nothing is sent. */
  async create(id: string, message: object, options: Options = {}): Promise<void> {
    const { deadline, ...rest } = options;
    const spec = {
      message: JSON.stringify(message),
      state: "draft",
      ...rest,
      ...(deadline && { deadline: deadline.toISOString() }),
    };
    await this.redis.hset(specOf(id), spec);
  }

  /**
   * Appends recipients to the audience, and returns their number. Users come from a stream, so that
   * an audience of millions needs no more memory than one of a thousand.
   */
  async load(id: string, recipients: Iterable<Recipient> | AsyncIterable<Recipient>): Promise<number> {
    let loaded = 0;
    let chunk: string[] = [];
    const push = async () => {
      if (chunk.length === 0) return;
      // The expiry goes with each chunk: should this process die, Redis removes what it has loaded.
      await this.redis.multi().rpush(listOf(id), ...chunk).expire(listOf(id), DAY_IN_SECONDS).exec();
      loaded += chunk.length;
      chunk = [];
    };
    for await (const recipient of recipients) {
      chunk.push(JSON.stringify(recipient));
      if (chunk.length === CHUNK) await push();
    }
    await push();
    return loaded;
  }

  /** Starts a draft, or resumes a paused campaign. */
  async start(id: string): Promise<void> {
    await this.redis.hset(specOf(id), { state: "running" });
  }

  /** Pauses a campaign. Pushes that are on their way finish. */
  async pause(id: string, reason: string): Promise<void> {
    await this.redis.hset(specOf(id), { state: "paused", reason });
  }
}

const listOf = (id: string) => `campaign:${id}`;
const specOf = (id: string) => `{campaign:${id}}:spec`;
