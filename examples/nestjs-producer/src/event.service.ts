import { Inject, Injectable } from "@nestjs/common";
import Redis from "ioredis";

import { REDIS } from "./redis.module.js";

/** What happened to a campaign: docs/webhooks.md lists the types. */
export interface CampaignEvent {
  id: string;
  type: string;
  campaign: string;
  at: string;
  who?: string;
  detail?: string;
  /** How many recipients ended in which way; only at the end of a campaign. */
  books?: Record<string, number>;
}

const STREAM = "{campaign:}:events";
const POSITION = "producer:events:position";

@Injectable()
export class EventService {
  constructor(@Inject(REDIS) private readonly redis: Redis) {}

  /**
   * Yields the events of all campaigns, from where the last call stopped. An event whose handler
   * fails comes again: handle each by its id at most once.
   */
  async *events(): AsyncGenerator<CampaignEvent> {
    const reader = this.redis.duplicate(); // a blocking read holds its connection
    try {
      let position = (await this.redis.get(POSITION)) ?? "0";
      for (;;) {
        const streams = await reader.xread("COUNT", 100, "BLOCK", 5000, "STREAMS", STREAM, position);
        for (const [entry, fields] of streams?.[0]?.[1] ?? []) {
          yield JSON.parse(fields[fields.indexOf("event") + 1]);
          position = entry;
          await this.redis.set(POSITION, position);
        }
      }
    } finally {
      reader.disconnect();
    }
  }

  /** Waits until a campaign has ended, and returns its last event. */
  async awaitEnd(id: string): Promise<CampaignEvent> {
    const isEnd = /^campaign\.(completed|expired|cancelled)$/;
    for await (const event of this.events()) {
      if (event.campaign === id && isEnd.test(event.type)) return event;
    }
    throw new Error(`the events of campaign ${id} have stopped`);
  }
}
