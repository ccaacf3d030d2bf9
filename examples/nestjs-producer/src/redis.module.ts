import { Global, Inject, Module, OnModuleDestroy } from "@nestjs/common";
import Redis from "ioredis";

/** The token under which the Redis client is injected. */
export const REDIS = Symbol("REDIS");

// A client without a keyPrefix: it would change the names in braces, and Fanfare would not find them.
const provideRedis = {
  provide: REDIS,
  useFactory: () => new Redis(process.env.REDIS_URL ?? "redis://localhost:6379", { maxRetriesPerRequest: 3 }),
};

@Global()
@Module({ providers: [provideRedis], exports: [REDIS] })
export class RedisModule implements OnModuleDestroy {
  constructor(@Inject(REDIS) private readonly redis: Redis) {}

  async onModuleDestroy(): Promise<void> {
    await this.redis.quit();
  }
}
