/**
 * Records of blocked texts and calls, for clients with `recordBlocks`, as article 84-2(4) of Korea's
 * Telecommunications Business Act requires. Numbers are keyed (see `keyedNumber`) and the records are sealed,
 * so read access to KV reveals nothing without LIST_KEY. Each value is sealed for its key in KV: a value that
 * was moved to another key, such as to another day, is refused.
 */
import { keyedNumber } from '../audit.ts';
import { utf8 } from '../bytes.ts';
import { hasNumber } from '../numbers/decoration.ts';
import type { ScreenRequest, Sender } from '../request.ts';
import type { ListKeys } from '../set/keys.ts';
import { seal, unseal } from '../set/seal.ts';
import { fingerprintsOf } from '../sources/source.ts';
import type { Decision } from './decision.ts';
import type { Snapshot } from './snapshot.ts';

export interface BlockRecord {
  readonly at: string;
  /** The client: the operator or reseller that the text or call came from. */
  readonly client: string;
  readonly channel: string;
  /**
   * A keyed number, a short code or a sender ID; null if it was not in the request, or was withheld. A sender
   * ID with the digits of a number, in any compatibility form, is `fingerprint:` and its keyed fingerprint.
   */
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
  if (party.kind === 'localNumber') return null;
  // The parser accepts no sender ID with that many digits, but it does not normalize: ㋀ is 1月.
  if (!hasNumber(party.text.normalize('NFKC'))) return party.text;
  const { spelling } = fingerprintsOf({ kind: 'senderId', name: party.text }, keys.sourceSeed);
  return `fingerprint:${spelling.toString(16).padStart(16, '0')}`;
}

/** The record of a decision, or null if nothing was blocked. @param keys that the record will be sealed with */
export function blockRecordOf(
  request: ScreenRequest,
  { verdict, unenforced, subject, reasons, reading = request }: Decision,
  client: string,
  { seq, now }: Snapshot,
  keys: ListKeys,
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

/** A record as it is stored: JSON, and a line end. */
export function writeRecord(record: BlockRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** Seals records. @param lines as `writeRecord` returns them @param key of the value in KV */
export function sealRecords(
  lines: readonly string[],
  keys: ListKeys,
  key: string,
): Promise<Uint8Array<ArrayBuffer>> {
  return seal(utf8(lines.join('')), keys, key);
}

/** The records, or null if the bytes were not sealed with these keys for this key in KV. */
export async function openRecords(
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
  key: string,
): Promise<BlockRecord[] | null> {
  const content = await unseal(bytes, keys, key);
  if (content === null) return null;
  const lines = new TextDecoder().decode(content).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as BlockRecord);
}
