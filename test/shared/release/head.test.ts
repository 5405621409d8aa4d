/** The head and the client directory as they are stored: sealed, and refused if they are foreign. */
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../../shared/bytes.ts';
import {
  type Client,
  type DirectoryOrganisation,
  openDirectory,
  sealDirectory,
} from '../../../shared/clients.ts';
import { HEAD_BYTES_MAX } from '../../../shared/limits/lists.ts';
import { type HeadDocument, openHead, sealHead } from '../../../shared/release/head.ts';
import { deriveListKeys, LIST_KEY_BYTES } from '../../../shared/set/keys.ts';
import { seal, unseal } from '../../../shared/set/seal.ts';
import { testKeys } from '../support/test-keys.ts';

const foreignKeys = await deriveListKeys(new Uint8Array(LIST_KEY_BYTES).fill(9));

const document: HeadDocument = {
  head: {
    kind: 'numgate-head',
    format: 2,
    seq: 7,
    changedAt: '2026-11-24T03:12:09.000Z',
    current: { release: '20261124T0312Z-9f2c1e4b', signature: 'a' },
    candidate: { release: '20261124T0313Z-9f2c1e4c', signature: 'b', share: 0.25 },
    droppedSeq: 3,
    segments: [{ key: 'live/0', sha256: '0'.repeat(64) }],
    tail: 'AAAA',
    clients: null,
  },
  manifests: [{ signed: '{}', signature: 'a' }],
};

async function codeOf(bytes: Uint8Array<ArrayBuffer>, keys = testKeys): Promise<string> {
  const opened = await openHead(bytes, keys);
  return opened.ok ? 'ok' : opened.code;
}

describe('a head', () => {
  test('opens to what was sealed, and equal heads are equal bytes', async () => {
    const bytes = await sealHead(document, testKeys);
    expect(await openHead(bytes, testKeys)).toEqual({ ok: true, value: document });
    expect(await sealHead(document, testKeys)).toEqual(bytes);
  });

  test('does not show what is in it', async () => {
    const text = new TextDecoder('latin1').decode(await sealHead(document, testKeys));
    expect(text).not.toContain('20261124');
  });

  test('is refused with any bit flipped, cut, or sealed with another key', async () => {
    const bytes = await sealHead(document, testKeys);
    for (let at = 0; at < bytes.length; at += 7) {
      expect(await codeOf(bytes.with(at, bytes[at]! ^ 4) as Uint8Array<ArrayBuffer>)).toBe('HEAD_FOREIGN');
    }
    expect(await codeOf(bytes.slice(0, -1))).toBe('HEAD_FOREIGN');
    expect(await codeOf(bytes, foreignKeys)).toBe('HEAD_FOREIGN');
  });

  test.each([
    ['nothing', ''],
    ['not JSON', '{'],
    ['another format', JSON.stringify({ ...document, head: { ...document.head, format: 1 } })],
    [
      'a share above 1',
      JSON.stringify({
        ...document,
        head: { ...document.head, candidate: { ...document.head.candidate, share: 2 } },
      }),
    ],
    ['seq 0', JSON.stringify({ ...document, head: { ...document.head, seq: 0 } })],
  ])('is refused with %s in it', async (_, text) => {
    expect(await codeOf(await seal(utf8(text), testKeys))).toBe('HEAD_INVALID');
  });

  test('opens without the fields that it does not know', async () => {
    const { head } = document;
    const later = {
      ...{ ...document, later: 1 },
      head: { ...head, later: { a: 1 }, candidate: { ...head.candidate, later: 1 } },
    };
    const opened = await openHead(await seal(utf8(JSON.stringify(later)), testKeys), testKeys);
    expect(opened).toEqual({ ok: true, value: document });
  });

  test('keeps the changes of registered senders', async () => {
    const registrations = {
      ...{ version: 9, droppedVersion: 4, unsealed: 'AAAA' },
      segments: [{ key: 'registrations/0', sha256: '0'.repeat(64) }],
    };
    const written = { ...document, head: { ...document.head, registrations } };
    expect(await openHead(await sealHead(written, testKeys), testKeys)).toEqual({ ok: true, value: written });
  });

  test('is refused where it is too large', async () => {
    expect(await codeOf(new Uint8Array(HEAD_BYTES_MAX + 1))).toBe('HEAD_INVALID');
  });
});

describe('a directory', () => {
  const client: Client = {
    id: 'relay',
    secretSha256: ['0'.repeat(64)],
    organisation: 'default',
    rights: ['check'],
    failPolicy: 'open',
    maxStaleSeconds: 3600,
    mode: 'enforce',
    recordBlocks: false,
    quotaNumbers: 1000,
    internationalPrefix: null,
    onEnumeration: 'report',
    restriction: null,
    senderRules: 'kr',
    shortCodes: [],
    requireRegistration: 'off' as const,
    requireToken: 'off' as const,
    requireIdentity: 'off' as const,
    requireQualification: 'off' as const,
    onSuspiciousText: 'shadow' as const,
    mock: false,
  };

  test('opens to the clients by id', async () => {
    const bytes = await sealDirectory({ clients: [client], organisations: [] }, testKeys);
    expect((await openDirectory(bytes, testKeys))?.clients).toEqual(new Map([['relay', client]]));
  });

  test('has settings of later versions only where they are set, for edges that do not know them', async () => {
    const bound = {
      ...client,
      id: 'bound',
      addresses: ['203.0.113.0/24'],
      expires: '2027-01-01T00:00:00.000Z',
    };
    const bytes = await sealDirectory({ clients: [client, bound], organisations: [] }, testKeys);
    const { clients, ...rest } = JSON.parse(new TextDecoder().decode((await unseal(bytes, testKeys))!));
    expect(Object.keys(rest)).toEqual(['kind', 'format']);
    const {
      organisation,
      onEnumeration,
      restriction,
      requireRegistration,
      requireToken,
      requireIdentity,
      requireQualification,
      onSuspiciousText,
      mock,
      ...older
    } = client;
    expect(Object.keys(clients[0]).sort()).toEqual(Object.keys(older).sort());
    expect((await openDirectory(bytes, testKeys))?.clients).toEqual(
      new Map([client, bound].map((one) => [one.id, one])),
    );
  });

  test('has organisations with a code or a qualification, which earlier edges ignore', async () => {
    const qualification: DirectoryOrganisation['qualification'] = {
      ...{ state: 'suspended' as const, factor: null, index: 3, since: '2026-11-26T00:00:00.000Z' },
      ...{ inspectedAt: null, nextInspectionBy: null, validUntil: '2027-01-01T00:00:00.000Z' },
    };
    const organisations: DirectoryOrganisation[] = [
      { id: 'acme', senderCode: null, qualification },
      { id: 'beta', senderCode: 'BETA0001', qualification: null },
      { id: 'gamma', senderCode: null, qualification: null, suspended: true },
    ];
    const bytes = await sealDirectory({ clients: [client], organisations }, testKeys);
    const opened = await openDirectory(bytes, testKeys);
    expect(opened?.content).toEqual({ clients: [client], organisations });
    expect(Object.fromEntries(opened!.organisations)).toEqual({
      acme: {
        senderCode: null,
        qualification: { state: 'suspended', factor: null, endsAt: Date.parse('2027-01-01T00:00:00Z') },
        isSuspended: false,
      },
      beta: { senderCode: 'BETA0001', qualification: null, isSuspended: false },
      gamma: { senderCode: null, qualification: null, isSuspended: true },
    });
    // An edge older than these fields still opens the clients.
    const earlier = v.object({
      kind: v.string(),
      format: v.literal(3),
      clients: v.array(v.object({ id: v.string() })),
    });
    const document = JSON.parse(new TextDecoder().decode((await unseal(bytes, testKeys))!));
    expect(v.parse(earlier, document)).toEqual({
      kind: 'numgate-clients',
      format: 3,
      clients: [{ id: 'relay' }],
    });
  });

  test('opens without the fields that it does not know', async () => {
    const document = {
      kind: 'numgate-clients',
      format: 3,
      later: 1,
      clients: [{ ...client, later: { a: 1 } }],
    };
    const bytes = await seal(utf8(JSON.stringify(document)), testKeys);
    expect((await openDirectory(bytes, testKeys))?.clients).toEqual(new Map([['relay', client]]));
  });

  test('opens also with what nobody may say any more: one client does not close it for all', async () => {
    const of112 = { ...client, id: 'old', shortCodes: ['112', '1339'] };
    const content = { clients: [client, of112], organisations: [] };
    const directory = await openDirectory(await sealDirectory(content, testKeys), testKeys);
    expect(directory?.clients.get('old')?.shortCodes).toEqual(['112', '1339']);
  });

  test('is refused sealed with another key, and where it is something else', async () => {
    expect(
      await openDirectory(
        await sealDirectory({ clients: [client], organisations: [] }, testKeys),
        foreignKeys,
      ),
    ).toBeNull();
    expect(await openDirectory(await sealHead(document, testKeys), testKeys)).toBeNull();
    expect(await codeOf(await sealDirectory({ clients: [client], organisations: [] }, testKeys))).toBe(
      'HEAD_INVALID',
    );
  });
});
