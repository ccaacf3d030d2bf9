import { Module } from "@nestjs/common";

import { CampaignService } from "./campaign.service.js";
import { EventService } from "./event.service.js";
import { RedisModule } from "./redis.module.js";
import { ResultService } from "./result.service.js";

@Module({ imports: [RedisModule], providers: [CampaignService, EventService, ResultService] })
export class AppModule {}
