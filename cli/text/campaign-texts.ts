/**
 * Reads the texts of campaigns, and the campaigns that `numgate feed pull` writes. A text only goes into the body of a request.
 * Messages name its line.
 */
import { text } from 'node:stream/consumers';
import { sharedFingerprintSchema } from '../../shared/admin/campaigns.ts';
import { isRecord } from '../../shared/fields.ts';
import { TEXT_CHARS_MAX } from '../../shared/limits/text.ts';
import { validateJson } from '../../shared/validate-json.ts';
import { CommandFailure } from '../failure.ts';
import { readLines } from '../import/lines.ts';
import { INPUT } from '../terminal/input.ts';
import { note } from '../terminal/output.ts';

/** The content of a line, and how messages name the line. */
export interface Located<Item> {
  readonly item: Item;
  readonly where: string;
}

/** The fields of a line of `campaigns.ndjson` that are imported. */
export interface FeedCampaign {
  readonly fingerprint: string;
  readonly textKeyId: string;
  readonly state: 'confirmed' | 'revoked';
  readonly until: string | null;
}

/**
 * The texts of a file: one per line, or in `.ndjson` one object with "text" per line.
 * @param path `-` for standard input
 * @throws CommandFailure that names the line, and never the text
 */
export async function readCampaignTexts(path: string): Promise<Located<string>[]> {
  const texts: Located<string>[] = [];
  const isJson = /\.(nd)?json(\.gz)?$/i.test(path);
  await eachLine(path, (line, where) => {
    const found = isJson ? textIn(line, where) : line;
    if (found.trim() === '') throw new CommandFailure(`${where}: "text" is empty: remove the line`);
    if (found.length > TEXT_CHARS_MAX)
      throw new CommandFailure(`${where}: has more than ${TEXT_CHARS_MAX} characters`);
    if (!found.isWellFormed())
      throw new CommandFailure(`${where}: has half of a surrogate pair: save it as UTF-8`);
    texts.push({ item: found, where });
  });
  if (texts.length === 0) throw new CommandFailure(`${path}: has no text`);
  return texts;
}

/** @throws CommandFailure that names the line */
export async function readFeedCampaigns(path: string): Promise<Located<FeedCampaign>[]> {
  const campaigns: Located<FeedCampaign>[] = [];
  await eachLine(path, (line, where) => {
    const value = parsed(line, where);
    const { fingerprint, textKeyId, until = null, state } = value;
    const shared = validateJson(sharedFingerprintSchema, { fingerprint, textKeyId });
    if (!shared.ok)
      throw new CommandFailure(`${where}: "${shared.path.join('.')}" ${shared.message}: pull the feed again`);
    if (state !== 'confirmed' && state !== 'revoked')
      throw new CommandFailure(`${where}: "state" must be confirmed or revoked`);
    if (until !== null && (typeof until !== 'string' || Number.isNaN(Date.parse(until))))
      throw new CommandFailure(`${where}: "until" must be a time (RFC 3339) or null`);
    campaigns.push({ item: { ...shared.value, state, until }, where });
  });
  return campaigns;
}

function textIn(line: string, where: string): string {
  const { text: found } = parsed(line, where);
  if (typeof found !== 'string') throw new CommandFailure(`${where}: must be an object with "text"`);
  return found;
}

function parsed(line: string, where: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (isRecord(value)) return value;
  } catch {
    // Fails below, like any value that is not an object. The message must not have the line.
  }
  throw new CommandFailure(`${where}: must be a JSON object`);
}

async function eachLine(path: string, take: (line: string, where: string) => void): Promise<void> {
  const taken = (line: string | null, n: number): void => {
    const where = path === INPUT ? `standard input, line ${n}` : `${path}, line ${n}`;
    if (line === null) throw new CommandFailure(`${where}: is too long`);
    if (line.trim() !== '') take(line.trim(), where);
  };
  if (path !== INPUT) {
    await readLines(path, () => ({ take: taken }));
    return;
  }
  if (process.stdin.isTTY) note('write one text per line, then press Ctrl-D:\n');
  for (const [index, line] of (await text(process.stdin)).split('\n').entries()) taken(line, index + 1);
}
