/**
 * Records of blocked texts and calls, for clients with `recordBlocks`, as article 84-2(4) of Korea's
 * Telecommunications Business Act requires. Numbers are keyed (see `keyedNumber`) and the records are sealed,
 * so read access to KV reveals nothing without LIST_KEY.
 */
import { keyedNumber } from '../audit.ts';
import { utf8 } from '../bytes.ts';
import type { ScreenRequest, Sender } from '../request.ts';
import type { ListKeys } from '../set/keys.ts';
import { seal, unseal } from '../set/seal.ts';
import type { Decision } from './decision.ts';
import type { Snapshot } from './snapshot.ts';

export interface BlockRecord {
  readonly at: string;
  /** The client: the operator or reseller that the text or call came from. */
  readonly client: string;
  readonly channel: string;
  /** A keyed number, a short code or a sender ID; null if it was not in the request, or was withheld. */
  readonly from: string | null;
  readonly to: string | null;
  /** MCC and MNC of the operator that handed the traffic to the gateway; null if unknown. */
  readonly operator: string | null;
  readonly subject: string | null;
  readonly code: string;
  readonly list: string | null;
  /** Whether the client received `block`; false in `shadow` and `label` mode. */
  readonly enforced: boolean;
  readonly seq: number;
}

function written(party: Sender | null, keys: ListKeys): string | null {
  if (party === null || party.kind === 'withheld') return null;
  if (party.kind === 'number') return keyedNumber(party.n, keys);
  if (party.kind === 'shortCode') return party.code;
  // Digits without an area code are part of a subscriber's number.
  return party.kind === 'localNumber' ? null : party.text;
}

/** The record of a decision, or null if nothing was blocked. */
export function blockRecordOf(
  request: ScreenRequest,
  { verdict, unenforced, subject, reasons, reading = request }: Decision,
  client: string,
  { seq, now, keys }: Snapshot,
): BlockRecord | null {
  const enforced = verdict === 'block';
  const [reason] = reasons;
  if ((!enforced && unenforced !== 'block') || reason === undefined) return null;
  return {
    at: new Date(now).toISOString(),
    client,
    channel: request.channel,
    from: written(reading.from, keys),
    to: written(reading.to, keys),
    operator: request.ingress?.operator ?? null,
    subject,
    code: reason.code,
    list: reason.list,
    enforced,
    seq,
  };
}

/** First line of the sealed content. It keeps other sealed values from being read as records. */
const FIRST_LINE = 'numgate-blocks 1\n';

/** Seals the records, one JSON value per line. */
export function sealRecords(
  records: readonly BlockRecord[],
  keys: ListKeys,
): Promise<Uint8Array<ArrayBuffer>> {
  return seal(utf8(FIRST_LINE + records.map((record) => `${JSON.stringify(record)}\n`).join('')), keys);
}

/** The records, or null if the bytes were not sealed with these keys. */
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
