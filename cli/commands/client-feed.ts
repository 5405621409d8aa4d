/** The parts of `numgate clients` for consumers of the feed: options for how they get its data, and `clients feed-key`. */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { FeedKeyInfo } from '../../shared/admin/feed-keys.ts';
import type { Client } from '../../shared/clients.ts';
import { encryptionJwkSchema, type FeedAccess } from '../../shared/feed/access.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure, describeFileError, validate } from '../failure.ts';
import { print } from '../terminal/output.ts';
import { addReasonOption, examples } from './options.ts';

/** Values of `--feed`: the encryptions, and `off` for a client that does not get the feed. */
const ENCRYPTIONS = ['dir', 'ecdh', 'none', 'off'] as const;

export interface FeedOptions {
  readonly feed?: (typeof ENCRYPTIONS)[number];
  readonly feedKey?: string;
}

export function addFeedOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--feed <encryption>',
        'how it gets the feed: encrypted with a key of the service (dir) or with its own key (ecdh), unencrypted (none), or not at all (off)',
      ).choices(ENCRYPTIONS),
    )
    .option('--feed-key <file>', 'public JWK on P-256 or X25519, for --feed ecdh');
}

/** The settings, with the field `feed` in place of its options. @param before current feed access of the client */
export function withFeed<Settings extends FeedOptions>(
  { feed, feedKey, ...settings }: Settings,
  before: FeedAccess | null = null,
): Omit<Settings, keyof FeedOptions> & { feed?: FeedAccess | null } {
  if (feedKey !== undefined && (feed ?? 'ecdh') !== 'ecdh')
    throw new CommandFailure(`--feed-key is for --feed ecdh, not for --feed ${feed}`, 2);
  if (feedKey !== undefined)
    return { ...settings, feed: { encryption: 'ECDH-ES', key: readPublicKey(feedKey) } };
  if (feed === undefined) return settings;
  switch (feed as NonNullable<FeedOptions['feed']>) {
    case 'off':
      return { ...settings, feed: null };
    case 'none':
      return { ...settings, feed: { encryption: 'none' } };
    case 'dir':
      // A key that the client already has stays valid.
      return {
        ...settings,
        feed: before?.encryption === 'dir' ? before : { encryption: 'dir', keyId: null },
      };
    case 'ecdh':
      throw new CommandFailure('--feed ecdh needs --feed-key <file> with the public key of the consumer', 2);
  }
}

function readPublicKey(path: string): Extract<FeedAccess, { encryption: 'ECDH-ES' }>['key'] {
  let key: unknown;
  try {
    key = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is not JSON' : describeFileError(error);
    throw new CommandFailure(`${path}: ${why}`);
  }
  // A private key must never leave its owner.
  if (typeof key === 'object' && key !== null && 'd' in key)
    throw new CommandFailure(
      `${path} has a private key: keep it secret, and pass only the public part, without "d"`,
    );
  return validate(encryptionJwkSchema, key, { before: `${path}: `, whole: 'the key', exitCode: 1 });
}

/** The feed access in words, for the list of clients. */
export function formatFeed({ feed }: Pick<Client, 'feed'>): string {
  if ((feed ?? null) === null) return '';
  switch (feed!.encryption) {
    case 'none':
      return 'feed unencrypted';
    case 'ECDH-ES':
      return `feed with its own key (${feed!.key.crv})`;
    case 'dir':
      return feed!.keyId === null ? 'feed without a key yet' : 'feed with a key of the service';
  }
}

export function addFeedKey(clients: Command): void {
  addReasonOption(clients.command('feed-key'))
    .description(
      'make the key that encrypts the data of the feed, and print it once as a JWK (for --feed dir)',
    )
    .argument('<id>')
    .option('--rotate', 'replace the existing key: from now on, data is encrypted with the new key', false)
    .addHelpText(
      'after',
      examples('clients feed-key relay-07 > feed.jwk', 'clients feed-key relay-07 --rotate'),
    )
    .action(async (id: string, { reason, rotate }: { readonly reason: string; readonly rotate: boolean }) => {
      const admin = adminOfEnvironment();
      const path = `clients/${encodeURIComponent(id)}`;
      const { value: client, ifUnchanged } = await admin.tagged<Client>(path);
      if (client.feed?.encryption === 'dir' && client.feed.keyId !== null && !rotate)
        throw new CommandFailure(`${id} already has a key: replace it with --rotate`, 4);
      const { jwk } = await admin.change<FeedKeyInfo>('POST', `${path}/feed-key`, { reason }, ifUnchanged);
      print(`${JSON.stringify(jwk)}\n`, { id, jwk });
    });
}
