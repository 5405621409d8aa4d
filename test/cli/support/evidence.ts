/**
 * The golden evidence file of test/vectors/evidence, and forgeries of it. The service made it once, with a key that no longer
 * exists. Import workspace.ts first.
 */
import { readFileSync } from 'node:fs';
import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { readArchive } from '../../../cli/evidence-archive.ts';
import { sha256Hex, utf8 } from '../../../shared/bytes.ts';
import type { PublicJwk } from '../../../shared/credentials/keys.ts';
import {
  EVIDENCE_TYPE,
  type EvidenceManifest,
  formatManifest,
  MANIFEST_FILE,
  SIGNATURE_FILE,
} from '../../../shared/evidence-file/manifest.ts';
import { type EvidenceTrust, verifyEvidence } from '../../../shared/evidence-file/verify.ts';
import type { EvidenceFiles } from '../../../shared/evidence-file/verify-manifest.ts';
import { openVerifier } from '../../../shared/signed-note.ts';

const FOLDER = 'test/vectors/evidence';
export const CASE = `${FOLDER}/case.zip`;
export const JWKS = `${FOLDER}/jwks.json`;
export const LOG = `${FOLDER}/audit.ndjson`;
export const CHECKPOINT_KEY = readFileSync(`${FOLDER}/checkpoint.key`, 'utf8').trim();

export const TRUST: EvidenceTrust = {
  jwks: (JSON.parse(readFileSync(JWKS, 'utf8')) as { keys: PublicJwk[] }).keys,
  checkpointKeys: [(await openVerifier(CHECKPOINT_KEY))!],
};

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
const { kty, crv, x, y } = await exportJWK(publicKey);
/** A key of another installation, or of a lying service. */
export const FORGER = { kty, crv, x, y, kid: 'forger' } as PublicJwk;

export type Texts = Record<string, string>;

/** The parts of the golden file as text. */
export function goldenTexts(): { readonly manifest: EvidenceManifest; readonly texts: Texts } {
  const files = readArchive(CASE);
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const manifest = JSON.parse(decode(files.get(MANIFEST_FILE)!)) as EvidenceManifest;
  const texts = manifest.parts.map(({ name }) => [name, decode(files.get(name)!)] as const);
  return { manifest, texts: Object.fromEntries(texts) };
}

/** An archive with these parts, and a manifest that the forger has signed. */
export async function forged(
  change: (
    texts: Texts,
    manifest: { -readonly [Name in keyof EvidenceManifest]: EvidenceManifest[Name] },
  ) => void,
): Promise<EvidenceFiles> {
  const { manifest, texts } = goldenTexts();
  change(texts, manifest);
  const parts = await Promise.all(
    Object.entries(texts).map(async ([name, text]) => ({
      ...{ name, bytes: utf8(text).length, sha256: await sha256Hex(text) },
    })),
  );
  const text = formatManifest({ ...manifest, parts });
  const signature = await new CompactSign(utf8(text))
    .setProtectedHeader({ alg: 'ES256', typ: EVIDENCE_TYPE, kid: 'forger' })
    .sign(privateKey);
  return new Map([
    [MANIFEST_FILE, utf8(text)],
    [SIGNATURE_FILE, utf8(signature)],
    ...Object.entries(texts).map(([name, each]) => [name, utf8(each)] as const),
  ]);
}

/** `ok`, or the failed step with its code. @param jwks trusts the forger by default, so that the log must reveal the forgery */
export async function verdictOf(
  files: EvidenceFiles,
  trust: EvidenceTrust = { ...TRUST, jwks: [FORGER] },
): Promise<string> {
  const { ok, steps } = await verifyEvidence(files, trust);
  const failed = steps.find((step) => step.ok === false);
  return ok ? 'ok' : `${failed!.step} ${failed!.code}`;
}

interface Proof {
  n: number;
  anchor: number;
  from: number;
  to: number;
  hashes: string[];
}
/** The content of `proofs.json`. */
export interface Proofs {
  log: Proof[];
  checkpoints: { size: number; checkpoint: string; hashes: string[] }[];
  chains: { part: string; chain: string; subject: string; records: Proof[] }[];
}

/** Changes the JSON of a part. */
export function edit<Value>(texts: Texts, part: string, change: (value: Value) => void): void {
  const value = JSON.parse(texts[part]!) as Value;
  change(value);
  texts[part] = JSON.stringify(value);
}
