/** Signed notes and checkpoints: the example of golang.org/x/mod/sumdb/note, our own keys, and damaged texts. */
import { describe, expect, it } from 'vitest';
import { CHAIN_START } from '../../shared/audit.ts';
import { formatCheckpoint, parseCheckpoint } from '../../shared/checkpoint.ts';
import { EMPTY_ROOT } from '../../shared/merkle.ts';
import { newSignerKey, notesIn, openSigner, openVerifier, verifyNote } from '../../shared/signed-note.ts';

/** The key pair, the text and the signature in the documentation of golang.org/x/mod/sumdb/note. */
const PRIVATE_KEY = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const PUBLIC_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n";
const NOTE = `${TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

const noteIn = (text: string) => [...notesIn(text)][0]?.note ?? null;

describe('a signed note', () => {
  it('is signed and verified like the published example', async () => {
    const signer = (await openSigner(PRIVATE_KEY))!;
    expect([signer.name, signer.verifierKey]).toEqual(['PeterNeumann', PUBLIC_KEY]);
    expect(await signer.sign(TEXT)).toBe(NOTE);
    const verifier = (await openVerifier(PUBLIC_KEY))!;
    expect(await verifyNote(noteIn(NOTE)!, verifier)).toBeNull();
    const altered = noteIn(NOTE.replace('answer', 'anwser'))!;
    expect(await verifyNote(altered, verifier)).toBe('SIGNATURE_WRONG');
  });

  it('with another key is unsigned for this one, also if the name is the same', async () => {
    const verifier = (await openVerifier(PUBLIC_KEY))!;
    const other = (await openSigner((await newSignerKey('PeterNeumann'))!))!;
    expect(await verifyNote(noteIn(await other.sign(TEXT))!, verifier)).toBe('UNSIGNED');
    expect(
      await verifyNote(noteIn(NOTE + (await other.sign('x\n')).split('\n').slice(2).join('\n'))!, verifier),
    ).toBeNull();
  });

  it.each([
    [
      'a name with a space',
      PRIVATE_KEY.replace('PeterNeumann', 'Peter Neumann'),
      PUBLIC_KEY.replace('PeterNeumann', 'a b'),
    ],
    ['another name', PRIVATE_KEY.replace('Peter', 'Pater'), PUBLIC_KEY.replace('Peter', 'Pater')],
    ['another key ID', PRIVATE_KEY.replace('c74f', 'c74e'), PUBLIC_KEY.replace('c74f', 'c74e')],
    ['another type', PRIVATE_KEY.replace('+AYEK', '+BYEK'), PUBLIC_KEY.replace('+ARpc', '+BRpc')],
    ['a short key', PRIVATE_KEY.slice(0, -4), PUBLIC_KEY.slice(0, -4)],
    ['nothing', '', ''],
  ])('has no key with %s', async (_what, signing, verifying) => {
    expect(await openSigner(signing)).toBeNull();
    expect(await openVerifier(verifying)).toBeNull();
  });

  it('is found among others in one text, with damaged ones', () => {
    const damaged = 'a\nb\n';
    const found = [...notesIn(`${NOTE}${NOTE}\n\n${NOTE}${damaged}`)];
    expect(found.map(({ line, note }) => [line, note !== null])).toEqual([
      ...[
        [1, true],
        [5, true],
        [11, true],
        [15, false],
      ],
    ]);
    expect(noteIn(NOTE.replace('x08go', '!!'))).toBeNull();
  });
});

describe('a checkpoint', () => {
  const checkpoint = {
    origin: 'example.com/log',
    size: 7,
    root: EMPTY_ROOT,
    start: { n: 0, hash: CHAIN_START },
  };

  it('is read as it was written, with and without a start', () => {
    const later = { ...checkpoint, start: { n: 12, hash: 'ab'.repeat(32) } };
    for (const each of [checkpoint, later]) expect(parseCheckpoint(formatCheckpoint(each))).toEqual(each);
    expect(parseCheckpoint(`${formatCheckpoint(checkpoint)}another line\n`)).toEqual(checkpoint);
  });

  it.each([
    '',
    'a\n',
    'a\n07\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
    'a\n7\n47DE\n',
    'a\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    '\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
  ])('is not %j', (text) => {
    expect(parseCheckpoint(text)).toBeNull();
  });
});
