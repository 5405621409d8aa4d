/** `numgate passport`: the roots and the certificates that verify PASSporTs at gateways. */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type * as v from 'valibot';
import {
  PASSPORT_CERTIFICATE_STATES,
  type PassportCertificate,
  type PassportCertificateInfo,
  type PassportRootInfo,
  passportCertificateSchema,
  passportRootSchema,
} from '../../shared/admin/passport.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure, describeFileError, hasCode, validate } from '../failure.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { requireSetting } from './key-options.ts';
import { addReasonOption, commaList, examples } from './options.ts';

/** `certificate` is the path of a file. */
interface RootOptions {
  readonly certificate?: string;
  readonly hosts?: readonly string[];
  readonly reason: string;
}

interface CertificateOptions {
  readonly url?: string;
  readonly numbers?: readonly string[];
  readonly state?: PassportCertificate['state'];
  readonly reason: string;
}

export function addPassport(program: Command): void {
  const passport = program
    .command('passport')
    .description('manage the roots and certificates that verify PASSporTs (STIR/SHAKEN) at gateways');

  passport
    .command('list')
    .description('list roots, and the certificates of signers with their state')
    .addHelpText('after', examples('passport list'))
    .action(async () => {
      const admin = adminOfEnvironment();
      const { roots } = await admin.get<{ roots: PassportRootInfo[] }>('passport/roots');
      const { certificates } = await admin.get<{ certificates: PassportCertificateInfo[] }>(
        'passport/certificates',
      );
      print(formatRoots(roots) + formatCertificates(certificates), { roots, certificates });
    });

  passport
    .command('show')
    .description('show a certificate: the numbers that it may sign for, and, if it is not valid, why')
    .argument('<id>')
    .addHelpText('after', examples('passport show kt-2026'))
    .action(async (id: string) =>
      print(...formatCertificate(await adminOfEnvironment().get(pathOf('certificates', id)))),
    );

  addReasonOption(passport.command('root'))
    .description('add or change a root; other settings stay unchanged')
    .argument('<id>', 'lower case letters, digits and dashes')
    .option('--certificate <file>', 'the certificate of the root in PEM')
    .option(
      '--hosts <list>',
      'hosts from which chains of this root may be fetched, with a port if it is not 443',
      commaList,
    )
    .addHelpText(
      'after',
      examples('passport root kr-sti --certificate root.pem --hosts certs.example.kr --reason "policy 3"'),
    )
    .action(async (id: string, { reason, certificate, hosts }: RootOptions, command: Command) => {
      const settings = {
        ...(certificate === undefined ? {} : { certificate: textOf(certificate) }),
        ...(hosts === undefined ? {} : { hosts }),
      };
      requireSetting(command, settings);
      const admin = adminOfEnvironment();
      const found = await stored<PassportRootInfo>(admin, pathOf('roots', id), 'PASSPORT_ROOT_UNKNOWN');
      const { notBefore: _, notAfter: __, ...known } = found.value ?? {};
      const root = validate(passportRootSchema, { ...known, ...settings, id }, { whole: 'the root' });
      await admin.change('PUT', pathOf('roots', id), { root, reason }, found.conditions);
      printDone(id, found.value !== null);
    });

  addReasonOption(passport.command('certificate'))
    .description('add or change the certificate of a signer; other settings stay unchanged')
    .argument('<id>', 'lower case letters, digits and dashes')
    .option('--url <url>', 'URL of its chain, exactly as PASSporTs name it in "x5u"')
    .option(
      '--numbers <list>',
      'numbers and ranges that its service provider codes stand for, such as +821000000000..+821099999999',
      commaList,
    )
    .addOption(
      new Option('--state <state>', 'set the state; a suspended certificate verifies nothing').choices(
        PASSPORT_CERTIFICATE_STATES,
      ),
    )
    .addHelpText(
      'after',
      examples(
        'passport certificate kt-2026 --url https://certs.example.kr/kt01.pem --reason "contract 12"',
        'passport certificate kt-2026 --state suspended --reason "key leaked"',
      ),
    )
    .action(async (id: string, { reason, ...settings }: CertificateOptions, command: Command) => {
      requireSetting(command, settings);
      const admin = adminOfEnvironment();
      const path = pathOf('certificates', id);
      const found = await stored<PassportCertificateInfo>(admin, path, 'PASSPORT_CERTIFICATE_UNKNOWN');
      const { url, numbers, state } = found.value ?? {};
      const known = found.value === null ? {} : { url, numbers, state };
      const whole = { ...known, ...settings, id } as v.InferInput<typeof passportCertificateSchema>;
      const certificate = validate(passportCertificateSchema, whole, { whole: 'the certificate' });
      await admin.change('PUT', path, { certificate, reason }, found.conditions);
      printDone(id, found.value !== null);
    });

  for (const kind of ['root', 'certificate'] as const) {
    const consequence =
      kind === 'root'
        ? 'certificates that chain only to this root are no longer used'
        : 'it no longer verifies anything';
    addReasonOption(passport.command(`remove-${kind}`))
      .description(`remove a ${kind}: ${consequence}`)
      .argument('<id>')
      .addHelpText('after', examples(`passport remove-${kind} kt-2025 --reason "replaced"`))
      .action(async (id: string, { reason }: { readonly reason: string }) => {
        await adminOfEnvironment().change('DELETE', pathOf(`${kind}s`, id), { reason });
        print(`${id} removed\n`, { id, removed: true });
      });
  }
}

function pathOf(kind: 'roots' | 'certificates', id: string): string {
  return `passport/${kind}/${encodeURIComponent(id)}`;
}

/** The stored root or certificate, or null, with the conditions for replacing it. */
async function stored<Info>(
  admin: Admin,
  path: string,
  unknown: 'PASSPORT_ROOT_UNKNOWN' | 'PASSPORT_CERTIFICATE_UNKNOWN',
): Promise<{ readonly value: Info | null; readonly conditions: Readonly<Record<string, string>> }> {
  const known = await admin.tagged<Info>(path).catch((error: unknown) => {
    if (hasCode(error, unknown)) return null;
    throw error;
  });
  if (known === null) return { value: null, conditions: { 'if-none-match': '*' } };
  return { value: known.value, conditions: known.ifUnchanged };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
}

function printDone(id: string, isKnown: boolean): void {
  const done = isKnown ? 'changed' : 'added';
  print(`${id} ${done}\n`, { id, [done]: true });
}

function formatRoots(roots: readonly PassportRootInfo[]): string {
  if (roots.length === 0) return 'no roots\n';
  const rows = roots.map(({ id, hosts, notAfter }) => [id, hosts.join(' '), notAfter]);
  return formatTable(['root', 'hosts', 'valid until'], rows);
}

function formatCertificates(certificates: readonly PassportCertificateInfo[]): string {
  if (certificates.length === 0) return 'no certificates\n';
  const rows = certificates.map(({ id, status, notAfter, problem, url }) => [
    ...[id, status, notAfter ?? '', url, problem ?? ''],
  ]);
  return formatTable(['certificate', 'status', 'valid until', 'url', 'problem'], rows);
}

function formatCertificate(certificate: PassportCertificateInfo): Report {
  const { id, url, x5u, status, problem, providers, authorized, numbers, ...times } = certificate;
  const orNone = (words: readonly string[]): string => (words.length === 0 ? 'none' : words.join(' '));
  const rows = [
    ['url', url],
    ['SHA-256 of the url', x5u],
    ['status', status],
    ['problem', problem ?? 'none'],
    ['service provider codes', orNone(providers)],
    ['numbers of these codes', orNone(numbers)],
    ['may sign for', orNone(authorized)],
    ['valid from', times.notBefore ?? 'not verified'],
    ['valid until', times.notAfter ?? 'not verified'],
    ['fetched', times.fetchedAt ?? 'never'],
    ['next fetch', times.nextFetchAt ?? 'never'],
  ];
  return [formatTable([id, ''], rows), certificate];
}
