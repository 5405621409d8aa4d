/**
 * Opens a text release on this machine, from its folder or from the service, as an edge opens it. The texts that it scores stay
 * here.
 */
import type { TextReleaseList } from '../../shared/admin/text.ts';
import type { EncodedHosts } from '../../shared/build/text-release.ts';
import { sha256Hex } from '../../shared/bytes.ts';
import type { NamedValue } from '../../shared/release/head.ts';
import { TEXT_PREFIX } from '../../shared/release/kv-keys.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { unseal } from '../../shared/set/seal.ts';
import { HostTable } from '../../shared/text/host-table.ts';
import { TextModel } from '../../shared/text/model.ts';
import { NO_TEXT, type PublishedText } from '../../shared/text/published.ts';
import { openTextManifest, type TextManifest } from '../../shared/text/text-manifest.ts';
import type { Admin } from '../admin.ts';
import { CommandFailure, unwrap } from '../failure.ts';
import { listKeyRing, publicKeys } from '../secrets.ts';
import type { TrainedModel } from './model-folder.ts';
import type { TextFolder } from './text-folder.ts';

/** Returns a sealed value that a manifest names. */
type LoadSealed = (value: NamedValue) => Promise<Uint8Array<ArrayBuffer>>;

/** The manifest of the text release in force, as it was signed, or null if there is none. */
export async function manifestInForce(
  admin: Admin,
): Promise<{ readonly manifest: TextManifest; readonly signed: SignedText } | null> {
  const { releases } = await admin.get<TextReleaseList>('text/releases');
  const current = releases.find(({ state }) => state === 'current');
  if (current === undefined) return null;
  const signed = await admin.get<SignedText>(`text/releases/${current.release}/manifest`);
  return { manifest: unwrap(await openTextManifest(signed, await publicKeys())), signed };
}

/** The model in force. Null if no release is in force, or if the release has no model. */
export async function modelInForce(admin: Admin): Promise<TrainedModel | null> {
  const current = await manifestInForce(admin);
  return current === null ? null : modelOf(current.manifest, admin);
}

/** The model of a release that the service has, or null if it has none. */
export async function modelOf({ model }: TextManifest, admin: Admin): Promise<TrainedModel | null> {
  if (model === null) return null;
  const { value, ...facts } = model;
  return { facts, bytes: await openValue(value, admin) };
}

/** The host lists of a release that the service has, as encoded, or null if it has none. */
export async function hostsOf({ hosts }: TextManifest, admin: Admin): Promise<EncodedHosts | null> {
  return hosts === null ? null : { lists: hosts.lists, table: await openValue(hosts.value, admin) };
}

async function openValue(value: NamedValue, admin: Admin): Promise<Uint8Array<ArrayBuffer>> {
  return unsealed(await loaderOf(admin)(value), value, await listKeyRing());
}

/** The text release in force, or null if there is none. */
export async function releaseInForce(admin: Admin): Promise<PublishedText | null> {
  const current = await manifestInForce(admin);
  return current === null ? null : openedFromService(current.manifest, admin);
}

/** Opens a release that the service has. */
export function openedFromService(manifest: TextManifest, admin: Admin): Promise<PublishedText> {
  return openRelease(manifest, loaderOf(admin));
}

export async function releaseInFolder(folder: TextFolder): Promise<PublishedText> {
  return openRelease(await folder.open(), (value) => folder.value(value));
}

/** A release that is not built yet, opened as on an edge. */
export function openedRelease(model: TrainedModel | null, hosts: EncodedHosts | null): PublishedText {
  // Its values have no keys yet, and nothing here reads a key.
  const value = { key: '', sha256: '' };
  return {
    ...NO_TEXT,
    model: model === null ? null : { info: { ...model.facts, value }, model: new TextModel(model.bytes) },
    hosts:
      hosts === null ? null : { lists: hosts.lists, table: new HostTable(hosts.table, hosts.lists.length) },
  };
}

async function openRelease(manifest: TextManifest, load: LoadSealed): Promise<PublishedText> {
  const ring = await listKeyRing();
  const { release, model, hosts } = manifest;
  const open = async (value: NamedValue) => unsealed(await load(value), value, ring);
  const opened = openedRelease(
    model === null ? null : { facts: model, bytes: await open(model.value) },
    hosts === null ? null : { lists: hosts.lists, table: await open(hosts.value) },
  );
  return { ...opened, release, model: model === null ? null : { model: opened.model!.model, info: model } };
}

function loaderOf(admin: Admin): LoadSealed {
  return async ({ key, sha256 }) => {
    const bytes = await admin.bytes(`text/values/${key.slice(TEXT_PREFIX.length)}`);
    if ((await sha256Hex(bytes)) === sha256) return bytes;
    throw new CommandFailure(`the service returned another value than ${key}: push the text release again`);
  };
}

async function unsealed(
  bytes: Uint8Array<ArrayBuffer>,
  { key }: NamedValue,
  ring: KeyRing,
): Promise<Uint8Array<ArrayBuffer>> {
  const opened = await ring.open((keys) => unseal(bytes, keys));
  if (opened !== null) return opened.value;
  throw new CommandFailure(
    `${key} was sealed with another LIST_KEY than ${ring.ids.join(', ')}: build the text release again`,
  );
}
