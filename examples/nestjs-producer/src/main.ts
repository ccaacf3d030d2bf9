import "reflect-metadata";

import { NestFactory } from "@nestjs/core";

import { AppModule } from "./app.module.js";
import { CampaignService, Recipient } from "./campaign.service.js";
import { EventService } from "./event.service.js";
import { ResultService } from "./result.service.js";

/** The users of the application, who would come from its database. Each tenth has no token stored here. */
function* users(n: number): Generator<Recipient> {
  for (let i = 1; i <= n; i++) {
    const token = i % 10 === 0 ? {} : { fcmToken: `token-of-u${i}` };
    yield { userId: `u${i}`, ...token, vars: { name: `user ${i}` } };
  }
}

/** Sends one campaign, and prints what became of it: node dist/main.js ID USERS */
async function main(id = "nest", n = "2500"): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ["warn", "error"] });
  try {
    const campaigns = app.get(CampaignService);
    await campaigns.create(id, { notification: { title: "Doors open", body: "See you tonight, {{name}}" } }, { name: "Doors" });
    const loaded = await campaigns.load(id, users(Number(n)));
    await campaigns.start(id);

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

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
