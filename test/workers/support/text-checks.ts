/** Checks with texts by an edge whose text release has each layer: its answers, its log, and its health. */
import { beforeEach, expect, type MockInstance, vi } from 'vitest';
import type { SignedText } from '../../../shared/release/signed.ts';
import type { TextAnswer } from '../../../shared/screening/screened-text.ts';
import type { TextIndex } from '../../../shared/text/text-index.ts';
import { signTextManifest, type TextManifest } from '../../../shared/text/text-manifest.ts';
import { CAMPAIGN, campaignOf, ORDINARY, SUSPICIOUS } from '../../shared/support/text-world.ts';
import { publishClients } from './clients.ts';
import { coldIsolate } from './isolate.ts';
import { type PublishedRelease, putTextIndex, putTextRelease, TEXT_KEY } from './published-texts.ts';
import { RELEASE_PRIVATE_KEY } from './secrets.ts';
import { sendAndSettle, summarize, type WireBody } from './send.ts';
import { build, NEXT_POLL_MS, NOW, NOWHERE, privateKey, publish, putHead, smallLists } from './world.ts';

const built = await build(smallLists());
const CAMPAIGNS = [campaignOf(17, CAMPAIGN, NOW / 1000 + 86_400)];
export const HOSTS = { phishing: ['block', 'bad.example'] } as const;

export interface Answer extends WireBody {
  readonly text?: TextAnswer;
  readonly status?: string;
  readonly textProblems?: readonly { readonly key: string; readonly message: string }[];
}

let release: PublishedRelease;
let warned: MockInstance<typeof console.warn>;
let seq = 1;
/** Each test of the file begins with a published release and nothing loaded. */
export function publishedTexts(): void {
  coldIsolate();
  beforeEach(async () => {
    warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    seq = 1;
    await publish(built);
    await publishClients();
    release = await putTextRelease({ suspicious: [SUSPICIOUS], hosts: HOSTS });
    await publishIndex({ current: release.signed });
  });
}

/** The release of this test: a model, kr-test, and a host list. */
export function firstRelease(): PublishedRelease {
  return release;
}

/** Publishes a new head that names an index and its campaigns. */
export async function publishIndex(index: Partial<TextIndex>, campaigns = CAMPAIGNS): Promise<void> {
  seq++;
  await putHead({ seq, ...(await putTextIndex({ version: seq, ...index, campaigns })) });
}

/** Publishes a new head that names no texts, like a head from before text risk. */
export async function publishWithoutTexts(): Promise<void> {
  await putHead({ seq: ++seq });
}

export async function signed(manifest: TextManifest): Promise<SignedText> {
  return signTextManifest(manifest, await privateKey(RELEASE_PRIVATE_KEY));
}

export async function check(
  text?: string,
  bindings: object = { TEXT_KEY },
  dataCentre = 'ICN',
): Promise<Answer> {
  const body = text === undefined ? { to: NOWHERE } : { to: NOWHERE, text };
  const { status, body: found } = await sendAndSettle({ body, dataCentre }, bindings);
  expect(status).toBe(200);
  return found;
}

/** `<verdict> <codes> <model>` */
export async function found(text: string, bindings?: object): Promise<string> {
  const answer = await check(text, bindings);
  return `${summarize(answer)} ${answer.text!.model}`;
}

/** Makes a poll due, and runs the poll after a response. */
export async function poll(): Promise<void> {
  vi.setSystemTime(Date.now() + NEXT_POLL_MS);
  await check(ORDINARY);
}

export async function health(bindings: object = { TEXT_KEY }): Promise<Answer> {
  return (await sendAndSettle({ path: '/healthz' }, bindings)).body;
}

/** The log lines about refused texts. */
export function refusals(): string[] {
  const lines = warned.mock.calls.map(([line]) => String(line));
  return lines.filter((line) => line.includes('"event":"textRefused"'));
}
