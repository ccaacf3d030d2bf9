import { Inject, Injectable } from "@nestjs/common";
import Redis from "ioredis";

import { execute, REDIS } from "./redis.module.js";

/** One recipient: docs/schema/element.schema.json. Without an address, Fanfare looks the user's up. */
export interface Recipient {
  userId: string;
  fcmToken?: string;
  fid?: string;
  vars?: Record<string, unknown>;
  locale?: string;
  timeZone?: string;
}

/** When recipients are sent to: docs/schedule.md. */
export interface Times {
  /** By the recipient's own clock, such as "mon-fri 09:00-21:00". */
  windows?: string[];
  /** Wherever the recipient is, such as "2030-01-31T18:00±10m". */
  localTime?: string;
  /** The zone of recipients whose own is unknown, such as "Asia/Saigon". */
  timeZone?: string;
  /** Nothing is sent after it. */
  deadline?: Date;
}

/** The fields of docs/schema/spec.schema.json that this application sets. */
export interface Options extends Times {
  name?: string;
  priority?: number;
  /** Pushes a second over all dispatchers. */
  rate?: number;
}

// A command takes about 100,000 arguments, and a long one blocks Redis for others.
const CHUNK = 1000;

const DAY = 24 * 60 * 60 * 1000;

@Injectable()
export class CampaignService {
  constructor(@Inject(REDIS) private readonly redis: Redis) {}

  /** Creates a draft: recipients can be loaded, and nothing is sent. */
  async create(id: string, message: object, options: Options = {}): Promise<void> {
    const { windows, localTime, timeZone, deadline, ...rest } = options;
    const spec = {
      message: JSON.stringify(message),
      state: "draft",
      ...rest,
      ...(windows && { windows: windows.join("; ") }),
      ...(localTime && { local_time: localTime }),
      ...(timeZone && { time_zone: timeZone }),
      ...(deadline && { deadline: deadline.toISOString() }),
    };
    await this.redis.hset(specOf(id), spec);
  }

  /**
   * Appends recipients to the audience, and returns their number. Users come from a stream, so that
   * an audience of millions needs no more memory than one of a thousand.
   *
   * The list expires at a moment after which nothing is sent: it must come after the start.
   */
  async load(
    id: string,
    recipients: Iterable<Recipient> | AsyncIterable<Recipient>,
    expiresAt = dayAfter(new Date()),
  ): Promise<number> {
    let loaded = 0;
    let chunk: string[] = [];
    const push = async () => {
      if (chunk.length === 0) return;
      // The expiry goes with each chunk: should this process die, Redis removes what it has loaded.
      await execute(this.redis.multi().rpush(listOf(id), ...chunk).pexpireat(listOf(id), expiresAt.getTime()));
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

  /**
   * Lets a draft start by itself. Call it when the audience is complete: Fanfare cannot know how
   * many recipients the application still wants to append.
   */
  async schedule(id: string, startAt: Date): Promise<void> {
    await this.redis.hset(specOf(id), { start_at: startAt.toISOString() });
  }

  /** Pauses a campaign. Pushes that are on their way finish. */
  async pause(id: string, reason: string): Promise<void> {
    await this.redis.hset(specOf(id), { state: "paused", reason });
  }
}

export const dayAfter = (moment: Date) => new Date(moment.getTime() + DAY);

const listOf = (id: string) => `campaign:${id}`;
const specOf = (id: string) => `{campaign:${id}}:spec`;
