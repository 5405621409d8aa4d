/** Verifies the manifest, its signature, and the parts that it lists: nothing is altered, missing or added. */
import { sha256Hex, utf8 } from '../bytes.ts';
import { isSignedBy, parseJws } from '../credentials/jws.ts';
import { keyOfJwk, type PublicJwk, thumbprintOf } from '../credentials/keys.ts';
import { EVIDENCE_BYTES_MAX } from '../limits/evidence-files.ts';
import { type Failure, ok, type Result } from '../result.ts';
import { jsonPart, textOf } from './json-part.ts';
import {
  EVIDENCE_TYPE,
  type EvidenceManifest,
  formatManifest,
  MANIFEST_FILE,
  manifestSchema,
  SIGNATURE_FILE,
} from './manifest.ts';
import { FIXED_PARTS } from './parts.ts';
import { type EvidenceProblem, type StepDone, wrong } from './steps.ts';

/** Files of the archive by name. */
export type EvidenceFiles = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

type Checked<Value> = Result<Value, Failure<EvidenceProblem>>;

/** A manifest of some 60 parts has 10 KB, and its signature file a third more. */
const SIGNATURE_CHARS_MAX = 100_000;

export function readManifest(files: EvidenceFiles): Checked<EvidenceManifest> {
  const bytes = files.get(MANIFEST_FILE);
  if (bytes === undefined) return wrong('MANIFEST_INVALID', `${MANIFEST_FILE} is missing`);
  const text = textOf(bytes);
  if (!text.ok) return wrong('MANIFEST_INVALID', `${MANIFEST_FILE} is not UTF-8`);
  const manifest = jsonPart(MANIFEST_FILE, text.value, manifestSchema);
  if (!manifest.ok) return wrong('MANIFEST_INVALID', manifest.message);
  if (formatManifest(manifest.value) !== text.value)
    return wrong('MANIFEST_INVALID', `${MANIFEST_FILE} does not have the form that the service writes`);
  return manifest;
}

/** Verifies that one of these keys signed exactly this manifest. */
export async function verifySignature(files: EvidenceFiles, keys: readonly PublicJwk[]): Promise<StepDone> {
  const text = textOf(files.get(SIGNATURE_FILE) ?? new Uint8Array(0));
  if (!text.ok || text.value === '') return wrong('SIGNATURE_INVALID', `${SIGNATURE_FILE} is missing`);
  const jws = parseJws(text.value, EVIDENCE_TYPE, SIGNATURE_CHARS_MAX);
  if (!jws.ok) return wrong('SIGNATURE_INVALID', `${SIGNATURE_FILE} ${jws.message}`);
  const { kid } = jws.value.header;
  const manifest = files.get(MANIFEST_FILE)!;
  const payload = decodePayload(text.value);
  if (payload === null || !isEqual(payload, manifest))
    return wrong('SIGNATURE_INVALID', `${SIGNATURE_FILE} signs another manifest`);
  const named = keys.filter((key) => key.kid === kid || key.kid === undefined);
  if (named.length === 0)
    return wrong('SIGNER_OTHER', 'it was not signed by one of the given keys: another installation made it');
  for (const jwk of named) {
    const key = keyOfJwk(jwk);
    if (key !== null && (await isSignedBy(jws.value, key)))
      return ok(`signed by the key ${await thumbprintOf(key)}`);
  }
  return wrong(
    'SIGNATURE_INVALID',
    'the signature does not match: the manifest was altered, or another key signed it',
  );
}

function decodePayload(jws: string): Uint8Array | null {
  const text = jws.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Verifies all parts, and returns the text of each. */
export async function readParts(
  files: EvidenceFiles,
  { parts }: EvidenceManifest,
): Promise<Checked<ReadonlyMap<string, string>>> {
  const texts = new Map<string, string>();
  if (new Set(parts.map(({ name }) => name)).size < parts.length)
    return wrong('PART_INVALID', 'the manifest lists a part twice');
  if (parts.reduce((sum, { bytes }) => sum + bytes, 0) > EVIDENCE_BYTES_MAX)
    return wrong('PART_INVALID', 'the parts are larger than an evidence file can be');
  for (const { name, bytes: size, sha256 } of parts) {
    const bytes = files.get(name);
    if (bytes === undefined) return wrong('PART_MISSING', `${name} is missing`);
    if (bytes.length !== size || (await sha256Hex(bytes)) !== sha256)
      return wrong('PART_ALTERED', `${name} was altered: its SHA-256 is not that of the manifest`);
    const text = textOf(bytes);
    if (!text.ok) return wrong('PART_INVALID', `${name} is not UTF-8`);
    texts.set(name, text.value);
  }
  const missing = FIXED_PARTS.find((name) => !texts.has(name));
  if (missing !== undefined) return wrong('PART_MISSING', `the manifest does not list ${missing}`);
  const added = [...files.keys()].find(
    (name) => !texts.has(name) && name !== MANIFEST_FILE && name !== SIGNATURE_FILE,
  );
  return added === undefined
    ? ok(texts)
    : wrong('PART_ADDED', 'the archive has a file that the manifest does not list');
}

/** Returns the digest of the parts. The service's audit record about the file contains it. */
export function partsDigest({ parts }: EvidenceManifest): Promise<string> {
  return sha256Hex(utf8(JSON.stringify(parts)));
}
