/** The real text store, called over RPC, and text releases of the tests. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { Actor } from '../../../shared/admin/actor.ts';
import type { PromoteText, TextChangeDone } from '../../../shared/admin/text.ts';
import { type HeadText, openHead } from '../../../shared/release/head.ts';
import type { ListKeys } from '../../../shared/set/keys.ts';
import { openTextIndex, type TextIndex } from '../../../shared/text/text-index.ts';
import type { TextStub } from '../../../workers/admin/text-stub.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { StoreRequest, StoreResult } from '../../../workers/storage/store-request.ts';
import { TEXT_NAME } from '../../../workers/storage/text-port.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { type BuiltText, buildText, type TextContent } from '../../shared/support/text-releases.ts';
import { coordinator } from './coordinator.ts';
import { RELEASE_PRIVATE_KEY } from './secrets.ts';
import { privateKey } from './world.ts';

export function textStub(): DurableObjectStub {
  const { TEXT } = env as unknown as ControlEnv;
  return TEXT.getByName(TEXT_NAME) as unknown as DurableObjectStub;
}

export function texts(): TextStub {
  return textStub() as unknown as TextStub;
}

export function asText(key: string | null = null, name = 'token:kisa'): StoreRequest {
  const actor: Actor = { name, organisation: 'kisa', authority: 'kisa', scopes: ['text'], root: false };
  return { actor, reason: 'test', repeat: key === null ? null : { key, sha256: 'same' } };
}

export interface TextOptions extends TextContent {
  readonly keys?: ListKeys;
  /** The signing key, PKCS #8 in base64. */
  readonly signer?: string;
}

export async function textRelease({
  keys = testKeys,
  signer = RELEASE_PRIVATE_KEY,
  ...content
}: TextOptions = {}): Promise<BuiltText> {
  return buildText(content, keys, await privateKey(signer));
}

/** The value of a change that must succeed. */
export function done<Value>(result: StoreResult<Value>): Value {
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.value;
}

/** `ok`, or the code of the refusal. */
export function codeIn(result: StoreResult<unknown>): string {
  return result.ok ? 'ok' : (result.extras?.refusal ?? result.code);
}

export async function pushed(options: TextOptions = {}): Promise<BuiltText> {
  const built = await textRelease(options);
  done(await texts().pushRelease(asText(), built.put));
  return built;
}

/** Options of a promotion that overrides no guard. */
export function promoting(base: string | null, change: Partial<PromoteText> = {}): PromoteText {
  return { base, share: 1, overrides: [], dryRun: false, ...change };
}

export async function promoted(
  release: string,
  base: string | null = null,
  change: Partial<PromoteText> = {},
): Promise<TextChangeDone> {
  return done(await texts().promote(asText(), release, promoting(base, change)));
}

/** The text part of the head of the tests' coordinator; null without any. */
export async function headText(keys: ListKeys = testKeys): Promise<HeadText | null> {
  const { sealed } = await coordinator().head({ seq: 0, dataCentre: 'TST' });
  if (sealed === null) return null;
  const opened = await openHead(sealed, keys);
  if (!opened.ok) throw new Error(opened.message);
  return opened.value.head.text ?? null;
}

/** The index as a reader gets it, from KV or else from the coordinator. */
export async function readIndex(keys: ListKeys = testKeys): Promise<TextIndex> {
  const head = await headText(keys);
  if (head === null) throw new Error('the head has no texts');
  const index = await openTextIndex(await readValue(head.index.key), keys);
  if (index === null) throw new Error('the index does not open');
  return index;
}

export async function readValue(key: string): Promise<Uint8Array<ArrayBuffer>> {
  const stored = await env.LISTS.get(key, 'arrayBuffer');
  const bytes = stored ?? (await coordinator().value(key));
  if (bytes === null) throw new Error(`no value ${key}`);
  return new Uint8Array(bytes);
}

/** The names of the releases in an index. */
export function namesIn({ current, candidate }: TextIndex): (string | null)[] {
  const nameOf = (signed: string): string => /"release":"([^"]+)"/.exec(signed)![1]!;
  return [
    current === null ? null : nameOf(current.signed),
    candidate === null ? null : nameOf(candidate.manifest.signed),
  ];
}

export async function keysInKv(): Promise<string[]> {
  return (await env.LISTS.list({ prefix: 'text/' })).keys.map(({ name }) => name);
}

/** The number of rows in a table of the store. */
export function textRows(table: string): Promise<number> {
  return runInDurableObject(
    textStub(),
    (_, { storage }) =>
      storage.sql.exec<{ many: number }>(`SELECT COUNT(*) AS many FROM ${table}`).one().many,
  );
}

/** Removes everything that the store keeps. */
export async function loseTables(): Promise<void> {
  await runInDurableObject(textStub(), async (_, { storage }) => {
    await storage.deleteAlarm();
    await storage.deleteAll();
  });
  await evictDurableObject(textStub());
}
