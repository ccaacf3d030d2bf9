import { Global, Inject, Module, OnModuleDestroy } from "@nestjs/common";
import Redis, { ChainableCommander } from "ioredis";

/** The token under which the Redis client is injected. */
export const REDIS = Symbol("REDIS");

// A client without a keyPrefix: it would change the names in braces, and Fanfare would not find them.
const provideRedis = {
  provide: REDIS,
  useFactory: () => new Redis(process.env.REDIS_URL ?? "redis://localhost:6379", { maxRetriesPerRequest: 3 }),
};

/**
 * Runs a pipeline or a transaction. `exec()` resolves even if commands in it failed, and a
 * transaction keeps what the others did: the error of each command is in its result.
 */
export async function execute(commands: ChainableCommander): Promise<void> {
  const results = await commands.exec();
  if (results === null) throw new Error("the transaction was given up: a watched key has changed");
  const failed = results.find(([error]) => error !== null);
  if (failed) throw failed[0];
}

@Global()
@Module({ providers: [provideRedis], exports: [REDIS] })
export class RedisModule implements OnModuleDestroy {
  constructor(@Inject(REDIS) private readonly redis: Redis) {}

  async onModuleDestroy(): Promise<void> {
    await this.redis.quit();
  }
}
