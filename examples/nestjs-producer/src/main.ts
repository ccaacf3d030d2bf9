import "reflect-metadata";

import { NestFactory } from "@nestjs/core";

import { AppModule } from "./app.module.js";
import { CampaignService, dayAfter, Recipient, Times } from "./campaign.service.js";
import { EventService } from "./event.service.js";
import { ResultService } from "./result.service.js";

/**
 * The users of the application, who would come from its database. Each tenth has no token stored
 * here, and each second lives in Saigon.
 */
function* users(n: number): Generator<Recipient> {
  for (let i = 1; i <= n; i++) {
    const token = i % 10 === 0 ? {} : { fcmToken: `token-of-u${i}` };
    const zone = i % 2 === 0 ? { timeZone: "Asia/Saigon" } : {};
    yield { userId: `u${i}`, ...token, ...zone, vars: { name: `user ${i}` } };
  }
}

/** When a campaign starts, and its times. Without a start it starts at once. */
interface Schedule extends Times {
  startAt?: Date;
}

const MESSAGE = { notification: { title: "Doors open", body: "See you tonight, {{name}}" } };

/** Sends one campaign, and prints what became of it: node dist/main.js ID USERS [SCHEDULE] */
async function main(id = "nest", n = "2500", schedule = "{}"): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ["warn", "error"] });
  try {
    const campaigns = app.get(CampaignService);
    const { startAt, ...times } = parseSchedule(schedule);
    await campaigns.create(id, MESSAGE, { name: "Doors", ...times });
    const loaded = await campaigns.load(id, users(Number(n)), times.deadline ?? dayAfter(startAt ?? new Date()));
    await (startAt ? campaigns.schedule(id, startAt) : campaigns.start(id));

    const end = await app.get(EventService).awaitEnd(id);
    console.log(JSON.stringify({ loaded, event: end.type, sent: end.books?.sent ?? 0, skipped: end.books?.skipped ?? 0 }));

    const results = app.get(ResultService);
    await results.awaitWritten(id, loaded);
    const codes: Record<string, number> = {};
    for await (const outcome of results.outcomes(id)) {
      const code = outcome.errorCode || outcome.status;
      codes[code] = (codes[code] ?? 0) + 1;
    }
    console.log(JSON.stringify(codes));
  } finally {
    await app.close();
  }
}

/** Reads moments as such: {"startAt": "2030-01-31T08:00:00Z", "windows": ["09:00-21:00"]}. */
function parseSchedule(text: string): Schedule {
  const isMoment = (key: string) => key === "startAt" || key === "deadline";
  return JSON.parse(text, (key, value) => (isMoment(key) ? new Date(value) : value));
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
