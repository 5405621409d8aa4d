/**
 * Third-party software verifies checkpoints and proofs: golang.org/x/mod/sumdb, as Debian and Ubuntu package it. If it is not
 * installed, the test prints a message.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { skipMissing } from '../../bench/lib/skip-missing.ts';
import { type AuditRecord, auditHash, auditLine, CHAIN_START } from '../../shared/audit.ts';
import { toBase64 } from '../../shared/bytes.ts';
import { auditLeaf, formatCheckpoint } from '../../shared/checkpoint.ts';
import { consistencyProof, GrowingTree, inclusionProof, rootHash } from '../../shared/merkle.ts';
import { newSignerKey, openSigner } from '../../shared/signed-note.ts';
import { HANG_MS } from './support/hang.ts';

const PACKAGE = 'golang-golang-x-mod-dev';
const GOPATH = '/usr/share/gocode';
const PEER = fileURLToPath(new URL('support/verify_checkpoint.go', import.meta.url));
const COUNT = 37;
const FROM = 21;

const hasPeer =
  existsSync(join(GOPATH, 'src/golang.org/x/mod/sumdb')) && spawnSync('go', ['version']).error === undefined;
if (!hasPeer) skipMissing(PACKAGE, `checkpoints are not verified by others: ${PACKAGE} is not installed`);

const folder = mkdtempSync(join(tmpdir(), 'numgate-go-'));
const PROGRAM = join(folder, 'verify-checkpoint');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, args: readonly string[], input = ''): string {
  const { stdout, stderr, error } = spawnSync(command, args, {
    ...{ input, encoding: 'utf8', timeout: HANG_MS },
    env: {
      ...process.env,
      GOPATH,
      GO111MODULE: 'off',
      GOTOOLCHAIN: 'local',
      GOCACHE: folder,
      GOTMPDIR: folder,
    },
  });
  if (error !== undefined) throw error;
  return stdout.trim() || stderr;
}

const goVerifies = (input: object): string => run(PROGRAM, [], JSON.stringify(input));

function records(): AuditRecord[] {
  const made: AuditRecord[] = [];
  for (let n = 1; n <= COUNT; n++) {
    const body = {
      ...{ n, at: '2026-11-24T03:12:09.000Z', seq: n, actor: 'token:root', action: 'entries.block' },
      ...{ subject: '8210-00000001', reason: `대표 "${n}"\u2028`, before: null, after: [{ op: 'block' }] },
      previous: made.at(-1)?.hash ?? CHAIN_START,
    };
    made.push({ ...body, hash: auditHash(body) });
  }
  return made;
}

describe.runIf(hasPeer)('golang.org/x/mod/sumdb', () => {
  it('verifies checkpoints and proofs, and finds altered ones', async () => {
    const leaves = records().map(auditLeaf);
    const read = (level: number, i: number): Uint8Array => {
      const tree = new GrowingTree();
      for (const leaf of leaves.slice(i * 2 ** level, (i + 1) * 2 ** level)) tree.add(leaf);
      return tree.root;
    };
    const signer = (await openSigner((await newSignerKey('numgate.example/log'))!))!;
    const start = { n: 0, hash: CHAIN_START };
    const body = { origin: signer.name, size: COUNT, root: rootHash(COUNT, read), start };
    const note = await signer.sign(formatCheckpoint(body));
    const input = {
      ...{ key: signer.verifierKey, note, lines: records().map(auditLine), from: FROM },
      inclusion: leaves.map((_, at) => inclusionProof(at, COUNT, read).map(toBase64)),
      fromRoot: toBase64(rootHash(FROM, read)),
      consistency: consistencyProof(FROM, COUNT, read).map(toBase64),
    };
    // Without optimisation, the standard library compiles in less time.
    expect(run('go', ['build', '-gcflags=all=-N -l', '-o', PROGRAM, PEER])).toBe('');
    expect(goVerifies(input)).toBe('verified');
    const changed = input.lines.with(3, input.lines[3]!.replace('block', 'clear'));
    expect(goVerifies({ ...input, lines: changed })).toContain('other root');
    expect(goVerifies({ ...input, note: note.replace('\n37\n', '\n38\n') })).toContain('signature');
    expect(goVerifies({ ...input, from: FROM - 1 })).toContain('invalid');
  });
});
