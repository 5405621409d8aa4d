/**
 * `numgate holder-keys`: the keys of holders of certificates and of agents, in files on this machine, and the message
 * tokens that they sign. No command here contacts the service.
 */
import { type Command, Option } from 'commander';
import {
  CERTIFICATE_TYPE,
  certificateClaimsSchema,
  DELEGATION_TYPE,
  delegationClaimsSchema,
  TOKEN_TYPE,
  tokenClaimsSchema,
} from '../../shared/credentials/claims.ts';
import { covers, parseCredentialNumbers } from '../../shared/credentials/credential-numbers.ts';
import { parseJws } from '../../shared/credentials/jws.ts';
import { CHAIN_LINKS_MAX, TOKEN_LIFE_MAX_S } from '../../shared/limits/credentials.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import { CommandFailure, validate } from '../failure.ts';
import {
  createHolderKey,
  HOLDER_ALGORITHMS,
  type HolderAlgorithm,
  type HolderKey,
  jwsDigest,
  readHolderKey,
  readJws,
} from '../holder-key.ts';
import { print, type Report } from '../terminal/output.ts';
import { examples, wholeNumber } from './options.ts';
import { numberOf } from './registration-options.ts';

interface TokenOptions {
  readonly audience: string;
  readonly from: string;
  readonly chain: readonly string[];
  readonly senderCode?: string;
  readonly life: number;
}

export function addHolderKeys(program: Command): void {
  const keys = program
    .command('holder-keys')
    .description('make the key that a certificate or delegation names, and sign message tokens with it');

  keys
    .command('new')
    .description('make a key in a new file that only you can read')
    .argument('<file>')
    .addOption(
      new Option('--alg <algorithm>', 'algorithm of the key; every verifier supports ES256')
        .choices(HOLDER_ALGORITHMS)
        .default('ES256'),
    )
    .addHelpText('after', examples('holder-keys new holder.jwk'))
    .action(async (file: string, { alg }: { readonly alg: HolderAlgorithm }) =>
      print(...formatKey(await createHolderKey(file, alg), file)),
    );

  keys
    .command('show')
    .description('show the thumbprint and algorithm of a key, or print its public key for an issuer')
    .argument('<file>')
    .option('--public', 'print the public key as JSON', false)
    .addHelpText('after', examples('holder-keys show holder.jwk --public > holder.pub.jwk'))
    .action(async (file: string, { public: isPublic }: { readonly public: boolean }) => {
      const key = await readHolderKey(file);
      if (!isPublic) return print(...formatKey(key, file));
      print(`${JSON.stringify(key.publicKey)}\n`, key.publicKey);
    });

  keys
    .command('sign-token')
    .description('sign a message token, which a check carries as senderToken')
    .argument('<file>', 'the key that the last link of the chain names')
    .requiredOption('--audience <id>', 'organisation that checks the texts, or <organisation>/<client>')
    .requiredOption(
      '--from <number>',
      'number that the texts are sent from, in E.164; - reads it from standard input',
    )
    .requiredOption('--chain <files...>', 'the certificate, then each delegation, in order from the owner')
    .option('--sender-code <code>', 'sender code of an organisation in the chain')
    .option('--life <seconds>', 'how long the token is valid', wholeNumber, TOKEN_LIFE_MAX_S)
    .addHelpText(
      'after',
      examples(
        'holder-keys sign-token holder.jwk --audience acme --from +8215881234 --chain certificate.jwt',
      ),
    )
    .action(async (file: string, options: TokenOptions) => {
      const token = await signToken(await readHolderKey(file), options);
      print(`${token}\n`, { token });
    });
}

function formatKey({ alg, thumbprint, publicKey }: HolderKey, file: string): Report {
  return [`${thumbprint} (${alg}) in ${file}\n`, { file, alg, thumbprint, publicKey }];
}

async function signToken(
  key: HolderKey,
  { audience, from, chain, senderCode, life }: TokenOptions,
): Promise<string> {
  const claims = tokenClaimsSchema.entries;
  validate(claims.aud, audience, { whole: '--audience' });
  if (senderCode !== undefined) validate(claims.osc, senderCode, { whole: '--sender-code' });
  if (chain.length > CHAIN_LINKS_MAX)
    throw new CommandFailure(`--chain must have at most ${CHAIN_LINKS_MAX} links`, 2);
  const number = (await numberOf(from)).trim();
  if (!/^\+[1-9]\d{5,14}$/.test(number))
    throw new CommandFailure('--from must be a number in E.164, such as +8215881234', 2);
  if (life < 1 || life > TOKEN_LIFE_MAX_S)
    throw new CommandFailure(`--life must be from 1 to ${TOKEN_LIFE_MAX_S} seconds`, 2);
  const links = chain.map((path, index) => linkIn(path, index === 0));
  const uncovered = links.find(({ spans }) => !covers(spans, Number(number.slice(1))));
  if (uncovered !== undefined)
    throw new CommandFailure(`--from is not among the numbers of ${uncovered.path}`, 2);
  const last = links.at(-1)!;
  if (last.jkt !== key.thumbprint)
    throw new CommandFailure(
      `${last.path} is for another key: sign with the key that has the thumbprint ${last.jkt}`,
    );
  const iat = Math.floor(Date.now() / 1000);
  return key.sign(TOKEN_TYPE, {
    ...{ aud: audience, iat, exp: iat + life, orig: { tn: number.slice(1) } },
    ...(senderCode === undefined ? {} : { osc: senderCode }),
    chain: links.map(({ digest }) => digest),
  });
}

interface ChainLink {
  readonly path: string;
  readonly digest: string;
  readonly spans: readonly Span[];
  /** Thumbprint of the key that the link names. */
  readonly jkt: string;
}

/** Reads a link. Only the service verifies its signature. @param isFirst a certificate; otherwise a delegation */
function linkIn(path: string, isFirst: boolean): ChainLink {
  const jws = readJws(path);
  const [type, schema, what] = isFirst
    ? ([
        CERTIFICATE_TYPE,
        certificateClaimsSchema,
        'a certificate, because it is the first link of the chain',
      ] as const)
    : ([
        DELEGATION_TYPE,
        delegationClaimsSchema,
        'a delegation, because it follows the certificate',
      ] as const);
  const parsed = parseJws(jws, type);
  if (!parsed.ok) throw new CommandFailure(`${path} must be ${what}: it ${parsed.message}`);
  const { nums, cnf } = validate(schema, parsed.value.claims, {
    before: `${path}: `,
    whole: 'its claims',
    exitCode: 1,
  });
  const spans = parseCredentialNumbers(nums);
  if (!spans.ok) throw new CommandFailure(`${path}: nums ${spans.message}`);
  return { path, digest: jwsDigest(jws), spans: spans.value, jkt: cnf.jkt };
}
