import { setTimeout } from "node:timers/promises";

import { Injectable, OnModuleDestroy } from "@nestjs/common";
import { Pool } from "pg";

/** The outcome of one recipient: a row of fanfare_deliveries. */
export interface Outcome {
  userId: string;
  resultId: string;
  status: "sent" | "failed" | "skipped" | "expired" | "unknown";
  errorCode: string;
  tokenRemoved: boolean;
}

const PAGE = 1000;

// Pages by the primary key: the last page costs as much as the first.
const QUERY = `
  SELECT user_id AS "userId", result_id AS "resultId", status, error_code AS "errorCode", token_removed AS "tokenRemoved"
  FROM fanfare_deliveries
  WHERE campaign_id = $1 AND (user_id, result_id) > ($2, $3)
  ORDER BY user_id, result_id LIMIT ${PAGE}`;

const WRITTEN = "SELECT sent + failed + skipped + expired + unknown AS n FROM fanfare_campaign_summary WHERE campaign_id = $1";

// The responder takes the results from notification:responses and writes them to SQL. An
// application that takes them from the list itself takes them from the responder.
@Injectable()
export class ResultService implements OnModuleDestroy {
  private readonly pool = new Pool({ connectionString: process.env.DATABASE_URL });

  /** Waits until so many outcomes of a campaign are in SQL, which is a moment after they are in its books. */
  async awaitWritten(campaign: string, ended: number): Promise<void> {
    for (;;) {
      const { rows } = await this.pool.query<{ n: string }>(WRITTEN, [campaign]);
      if (Number(rows[0]?.n ?? 0) >= ended) return;
      await setTimeout(200);
    }
  }

  /** Yields the outcomes of a campaign, page by page. */
  async *outcomes(campaign: string): AsyncGenerator<Outcome> {
    let after = ["", ""];
    for (;;) {
      const { rows } = await this.pool.query<Outcome>(QUERY, [campaign, ...after]);
      yield* rows;
      if (rows.length < PAGE) return;
      const last = rows[rows.length - 1];
      after = [last.userId, last.resultId];
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.pool.end();
  }
}
