/**
 * Head and client directory: nothing that KV holds is believed without a signature for that purpose.
 */
import { describe, expect, it } from 'vitest';
import { type Directory, openDirectory, signDirectory } from '../../../shared/clients.ts';
import { type Head, openHead, signHead } from '../../../shared/release/head.ts';
import { type SignedText, signText } from '../../../shared/release/signed.ts';

async function keyPair(): Promise<CryptoKeyPair> {
  // The type covers all algorithms; Ed25519 always gives a pair.
  return (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
}

const [ours, theirs] = [await keyPair(), await keyPair()];
const manifest: SignedText = await signText('manifest', '{"some":"manifest"}', ours.privateKey);
const other: SignedText = await signText('manifest', '{"another":"manifest"}', ours.privateKey);
const head: Head = { seq: 7, promotedAt: '2026-11-24T03:12:09.000Z', manifest };
const signed = await signHead(head, ours.privateKey);

async function codeOf(document: unknown): Promise<string> {
  const opened = await openHead(JSON.stringify(document), [ours.publicKey]);
  return opened.ok ? 'opened' : opened.code;
}

describe('a head', () => {
  it('opens to what was signed', async () => {
    expect(await openHead(JSON.stringify(signed), [theirs.publicKey, ours.publicKey])).toEqual({
      ok: true,
      value: head,
    });
  });

  it('is refused when a foreign key signed it', async () => {
    expect(await codeOf(await signHead(head, theirs.privateKey))).toBe('HEAD_UNSIGNED');
  });

  it('is refused when its seq is raised by whoever can write KV', async () => {
    const statement = { ...signed.statement, signed: signed.statement.signed.replace('"seq":7', '"seq":8') };
    expect(await codeOf({ ...signed, statement })).toBe('HEAD_UNSIGNED');
  });

  it('is refused with another manifest than it states, though ours', async () => {
    expect(await codeOf({ ...signed, manifest: other })).toBe('HEAD_INVALID');
  });

  it('is refused when the statement was signed for another purpose', async () => {
    const statement = await signText('manifest', signed.statement.signed, ours.privateKey);
    expect(await codeOf({ ...signed, statement })).toBe('HEAD_UNSIGNED');
  });

  it.each([null, [], {}, 'head', { ...signed, extra: 1 }])('is not %j', async (document) => {
    expect(await codeOf(document)).toBe('HEAD_INVALID');
  });
});

describe('a client directory', () => {
  const directory: Directory = { format: 1, clients: [] };

  it('opens when one of the keys signed it', async () => {
    const text = JSON.stringify(await signDirectory(directory, ours.privateKey));
    expect(await openDirectory(text, [theirs.publicKey, ours.publicKey])).toEqual(new Map());
  });

  it('is refused unsigned, altered, by a foreign key, and as a signed document of another kind', async () => {
    const envelope = await signDirectory(directory, ours.privateKey);
    const altered = { ...envelope, signed: envelope.signed.replace('[]', '[ ]') };
    const foreign = await signDirectory(directory, theirs.privateKey);
    const misplaced = await signText('head', envelope.signed, ours.privateKey);
    for (const document of [directory, altered, foreign, misplaced, { ...envelope, signature: '' }]) {
      expect(await openDirectory(JSON.stringify(document), [ours.publicKey])).toBeNull();
    }
    expect(await openDirectory('not JSON', [ours.publicKey])).toBeNull();
  });
});
