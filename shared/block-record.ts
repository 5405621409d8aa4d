/**
 * Records of blocked texts and calls, for clients that want them kept (`recordBlocks`): what article
 * 84-2(4) of Korea's Telecommunications Business Act asks for. Numbers stand in them keyed (see
 * `keyedNumber`), and the records are sealed: who reads KV without LIST_KEY learns nothing.
 */
import { keyedNumber } from './audit.ts';
import { utf8 } from './bytes.ts';
import type { Decision } from './decision.ts';
import type { Question, Sender } from './question.ts';
import type { ListKeys } from './set/keys.ts';
import { seal, unseal } from './set/seal.ts';

export interface BlockRecord {
  readonly at: string;
  /** Who asked: the operator or reseller that the text or call came from. */
  readonly client: string;
  readonly channel: string;
  /** A keyed number, a short code, or a sender id; null where it was not asked about, or withheld. */
  readonly from: string | null;
  readonly to: string | null;
  /** MCC and MNC of the operator that a gateway had it from; null where it is not known. */
  readonly operator: string | null;
  readonly subject: string | null;
  readonly code: string;
  readonly list: string | null;
  /** Whether the client was told to block: not in `shadow` and `label` mode. */
  readonly enforced: boolean;
  readonly seq: number;
}

function written(party: Sender | null, keys: ListKeys): string | null {
  if (party === null || party.kind === 'withheld') return null;
  if (party.kind === 'number') return keyedNumber(party.n, keys);
  if (party.kind === 'shortCode') return party.code;
  // Digits without area code are part of somebody's number.
  return party.kind === 'localNumber' ? null : party.text;
}

/** The record of a verdict, or null where nothing was blocked. */
export function blockRecordOf(
  question: Question,
  { verdict, unenforced, subject, reasons, reading = question }: Decision,
  about: { readonly client: string; readonly seq: number; readonly now: number },
  keys: ListKeys,
): BlockRecord | null {
  const enforced = verdict === 'block';
  const [reason] = reasons;
  if ((!enforced && unenforced !== 'block') || reason === undefined) return null;
  return {
    at: new Date(about.now).toISOString(),
    client: about.client,
    channel: question.channel,
    from: written(reading.from, keys),
    to: written(reading.to, keys),
    operator: question.ingress?.operator ?? null,
    subject,
    code: reason.code,
    list: reason.list,
    enforced,
    seq: about.seq,
  };
}

/** First line of what is sealed, so that nothing else that was sealed can stand for records. */
const FIRST_LINE = 'numgate-blocks 1\n';

/** As they are stored: one JSON value a line, sealed. */
export function sealRecords(
  records: readonly BlockRecord[],
  keys: ListKeys,
): Promise<Uint8Array<ArrayBuffer>> {
  return seal(utf8(FIRST_LINE + records.map((record) => `${JSON.stringify(record)}\n`).join('')), keys);
}

/** The records, or null where the bytes are not what was sealed with these keys. */
export async function openRecords(
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
): Promise<BlockRecord[] | null> {
  const content = await unseal(bytes, keys);
  if (content === null) return null;
  const text = new TextDecoder().decode(content);
  if (!text.startsWith(FIRST_LINE)) return null;
  const lines = text.slice(FIRST_LINE.length).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as BlockRecord);
}
