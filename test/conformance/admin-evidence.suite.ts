/** Evidence of the audit log over HTTP: the public checkpoint, earlier checkpoints, and proofs. */
import { describe, expect, it } from 'vitest';
import type { StatusInfo } from '../../shared/admin/status.ts';
import type { AuditRecord } from '../../shared/audit.ts';
import { fromBase64, toBase64 } from '../../shared/bytes.ts';
import { auditLeaf, parseCheckpoint } from '../../shared/checkpoint.ts';
import type { CheckpointInfo, ConsistencyProof, InclusionProof } from '../../shared/evidence.ts';
import { rootOfInclusion, verifyConsistency } from '../../shared/merkle.ts';
import { notesIn, openVerifier, verifyNote } from '../../shared/signed-note.ts';
import { openApi, send } from './support/send.ts';
import { adminLines, adminValue, expectAdminRefused, sendAdmin } from './support/send-admin.ts';
import { world } from './support/world.ts';

const PATH = '/v1/audit/checkpoint';
const bytesOf = (hashes: readonly string[]): Uint8Array[] => hashes.map((hash) => fromBase64(hash)!);

describe('the evidence of the audit log', () => {
  it('the newest checkpoint is public, and proofs lead to its root', async () => {
    await world().runCron();
    // Do not use `send` here, because this is the only response that caches may keep.
    const response = await fetch(world().admin + PATH);
    const text = await response.text();
    expect((await openApi()).responseErrors(PATH, 'GET', response, text)).toBe('');
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'public, max-age=30']);
    const note = [...notesIn(text)][0]!.note!;
    const { audit } = await adminValue<StatusInfo>('status');
    expect(await verifyNote(note, (await openVerifier(audit.checkpointKey!))!)).toBeNull();
    const { size, root } = parseCheckpoint(note.text)!;
    expect(audit.checkpoint).toMatchObject({ size });

    const token = { token: 'read' } as const;
    const kept = await adminLines<CheckpointInfo>('CheckpointInfo', 'audit/checkpoints?after=0', token);
    expect(kept.at(-1)!.checkpoint).toBe(text);
    const n = Math.ceil(size / 3);
    const [record] = await adminLines<AuditRecord>('AuditRecord', `audit?after=${n - 1}&limit=1`);
    const included = await adminValue<InclusionProof>(`audit/proof?n=${n}&size=${size}`, token);
    const computed = rootOfInclusion(auditLeaf(record!), n - 1, size, bytesOf(included.hashes));
    expect(toBase64(computed!)).toBe(toBase64(root));
    const grown = await adminValue<ConsistencyProof>(`audit/proof?from=${size}`, token);
    const now = fromBase64(grown.root)!;
    expect(verifyConsistency(size, root, grown.size, now, bytesOf(grown.hashes))).toBe(true);
    // Lines of the log are leaves, byte for byte.
    const { text: line } = await sendAdmin(`audit?after=${n - 1}&limit=1`);
    expect(auditLeaf(JSON.parse(line) as AuditRecord)).toEqual(auditLeaf(record!));
  });

  it('a proof needs one pair of parameters, within the tree', async () => {
    for (const [query, code, field] of [
      ['', 'FIELD_MISSING', 'n'],
      ['size=1', 'FIELD_MISSING', 'n'],
      ['n=1&from=1', 'FIELD_CONTRADICTION', 'n'],
      ['from=1&size=1', 'FIELD_CONTRADICTION', 'n'],
      ['n=0', 'FIELD_VALUE', 'n'],
      ['n=999999999', 'FIELD_VALUE', 'n'],
      ['n=1&size=999999999', 'FIELD_VALUE', 'size'],
      ['from=0', 'FIELD_VALUE', 'from'],
      ['from=2&to=1', 'FIELD_VALUE', 'from'],
      ['from=one', 'FIELD_VALUE', 'from'],
      ['n=1&n=2', 'FIELD_TYPE', 'n'],
      ['record=1', 'FIELD_UNKNOWN', 'record'],
    ] as const)
      await expectAdminRefused([`audit/proof?${query}`, {}], [400, code, field]);
  });

  it('a service without the key says how to set it', async () => {
    const { status, json } = await send(PATH, { base: world().withoutSecrets, client: null });
    expect([status, json!.code]).toEqual([503, 'NOT_CONFIGURED']);
    expect(String((json as unknown as { message: string }).message)).toContain(
      'wrangler secret put CHECKPOINT_KEY',
    );
  });
});
