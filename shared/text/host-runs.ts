/** Reads the hosts of a run of labels. A run can mean several, because words need no space before or after a host. */
import { HOST_CHARS_MAX, IDN_HOSTS_MAX } from '../limits/text.ts';
import { asciiHostIn, canonical, hostBeforeWords, idnHostIn, isAddress } from './host-names.ts';

const FULL_STOP = 0x2e;
/** A character that is written as a percent code takes three characters. */
const URL_HOST_CHARS_MAX = 3 * HOST_CHARS_MAX;
/**
 * Labels in ASCII within a longer run. Korean, Chinese and Japanese words need no space before a host, and keys such as
 * `1⃣` need none either, so a host may begin after them. A letter of any other script belongs to the host:
 * `bücher.example` is not `cher.example`.
 */
const ASCII_PART =
  /(?<![a-z0-9_-])(?<!(?![\p{scx=Hangul}\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{Me}])[\p{L}\p{M}])[a-z0-9_-]+(?:\.[a-z0-9_-]+)+/gu;

/** The hosts that a run of labels can mean. */
interface Names {
  /** The likeliest first. */
  readonly hosts: string[];
  /** The hosts that a phone opens in its most likely reading: `a.com` and `b.com` in `a.com에서b.com`. */
  readonly likeliest: string[];
  /** The part of the run that the first host covers. */
  readonly first: number;
  readonly last: number;
}

const NO_NAMES: Names = { hosts: [], likeliest: [], first: 0, last: 0 };

/** Reads the hosts of runs of one text. */
export class NameReader {
  /** How many names may still be read as IDNA. */
  #idn = IDN_HOSTS_MAX;
  /** Whether a name was not read because of this limit. */
  isExhausted = false;

  /** @param isWhole whether a scheme or a path shows that the whole run is the host, whatever its ending */
  ofRun(run: string, isWhole: boolean): Names {
    if (isAscii(run)) return ofAscii(run, 0, isWhole);
    const normalized = run
      .replace(/[\u3002\uff61]/g, '.')
      .normalize('NFKC')
      .toLowerCase();
    // The likeliest host is a part in ASCII, as in `바로가기evil.example`.
    const parts = asciiPartsOf(normalized, isWhole);
    const cut = idnHostIn(normalized);
    const whole = cut === null ? null : this.#canonical(cut.name);
    const hosts = parts.flatMap((part) => part.hosts);
    const likeliest = parts.flatMap((part) => part.likeliest);
    if (whole !== null) {
      const shorter = hostBeforeWords(whole);
      hosts.push(whole, ...(shorter === null ? [] : [shorter]));
      if (likeliest.length === 0) likeliest.push(shorter === null || isWhole ? whole : shorter);
    }
    const [covered = cut] = parts;
    if (hosts.length === 0 || covered === null) return NO_NAMES;
    // If NFKC changes the length, the whole run counts as the host.
    const isSame = normalized.length === run.length;
    return { hosts, likeliest, first: isSame ? covered.first : 0, last: isSame ? covered.last : run.length };
  }

  /** The host of a URL, also in forms that only URLs have. */
  ofUrl(written: string): Names {
    const all = { first: 0, last: written.length };
    if (written.startsWith('[') || written.length > URL_HOST_CHARS_MAX) return { ...NO_NAMES, ...all };
    // Numbers (`3232235777`, `0x7f.1`) and percent codes are read as a browser reads them.
    const isCoded = written.includes('%');
    if (isCoded || /^[\da-fx.]+$/i.test(written)) {
      const host = this.#canonical(written);
      if (host !== null) return { hosts: [host], likeliest: [host], ...all };
      if (isCoded) return { ...NO_NAMES, ...all };
    }
    const names = this.ofRun(written.slice(0, trimmedLength(written)), true);
    // With a scheme before it, words before a part in ASCII belong to the host.
    return names.hosts.length === 0
      ? { ...NO_NAMES, ...all }
      : { ...names, likeliest: names.hosts, first: 0 };
  }

  /** Hosts anywhere in the text before an `@`. */
  inside(written: string): string[] {
    const runs = written.split(/[^\p{L}\p{N}\p{M}_.-]+/u);
    return runs.flatMap((run) => (run.includes('.') ? this.ofRun(run, true).hosts : []));
  }

  #canonical(host: string): string | null {
    if (this.#idn === 0) {
      this.isExhausted = true;
      return null;
    }
    this.#idn--;
    return canonical(host);
  }
}

/** Hosts of the parts in ASCII of a longer run. */
function asciiPartsOf(run: string, isWhole: boolean): Names[] {
  const parts = Array.from(run.matchAll(ASCII_PART), ({ 0: part, index }) => ofAscii(part, index, isWhole));
  return parts.filter(({ hosts }) => hosts.length > 0);
}

function ofAscii(part: string, index: number, isWhole: boolean): Names {
  if (isAddress(part)) return { hosts: [part], likeliest: [part], first: index, last: index + part.length };
  const cut = asciiHostIn(part);
  if (cut === null) return NO_NAMES;
  const { name } = cut;
  const [first, last] = [index + cut.first, index + cut.last];
  const shorter = hostBeforeWords(name);
  if (shorter === null) return { hosts: [name], likeliest: [name], first, last };
  if (isWhole) return { hosts: [name, shorter], likeliest: [name], first, last };
  return { hosts: [shorter, name], likeliest: [shorter], first, last: first + shorter.length };
}

/** Length of a name without the dots at its end. */
export function trimmedLength(name: string): number {
  let length = name.length;
  while (length > 0 && name.charCodeAt(length - 1) === FULL_STOP) length--;
  return length;
}

function isAscii(run: string): boolean {
  for (let at = 0; at < run.length; at++) if (run.charCodeAt(at) >= 0x80) return false;
  return true;
}
