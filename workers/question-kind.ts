/**
 * The kinds of question that clients ask: what fields each has, which right it needs, and how its answers
 * look. Everything else about them is the same.
 */
import { CHECK_FIELDS, type Fields } from '../shared/asked.ts';
import type { Right } from '../shared/clients.ts';
import type { Answer, Decision } from '../shared/decision.ts';
import { gatewayAnswer } from '../shared/gateway/answer.ts';
import { GATEWAY_FIELDS } from '../shared/gateway/asked.ts';
import type { Question } from '../shared/question.ts';
import { tell } from '../shared/screen.ts';
import type { Snapshot, Wishes } from '../shared/snapshot.ts';

export interface Kind {
  readonly right: Right;
  readonly fields: Fields;
  /** For who has more questions than a batch takes. */
  readonly more: string;
  /** The verdict as it is told. */
  tell(question: Question, judged: Decision, snapshot: Snapshot, wishes: Wishes): Answer;
}

/** Before a text is sent. */
export const CHECK: Kind = {
  right: 'check',
  fields: CHECK_FIELDS,
  more: 'for more, use /v1/check/stream',
  tell,
};

/** Where a call or text comes in. */
export const GATEWAY: Kind = {
  right: 'gateway',
  fields: GATEWAY_FIELDS,
  more: 'send more batches',
  tell: (question, judged, snapshot, { mode }) =>
    gatewayAnswer(judged.reading ?? question, tell(question, judged), snapshot, mode),
};
