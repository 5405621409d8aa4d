/** The identifiers of a source text, without its comments, strings and regular expressions. */
import { SyntaxKind } from 'typescript/unstable/ast';
import { createScanner } from 'typescript/unstable/ast/scanner';

/** Tokens that end a value. A slash after them is a division. */
const VALUE_ENDS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.Identifier,
  SyntaxKind.PrivateIdentifier,
  SyntaxKind.NumericLiteral,
  SyntaxKind.CloseParenToken,
  SyntaxKind.CloseBracketToken,
  SyntaxKind.CloseBraceToken,
  SyntaxKind.ExclamationToken,
]);

export function identifiersOf(text: string): Set<string> {
  const scanner = createScanner(true, undefined, text);
  const found = new Set<string>();
  let previous = SyntaxKind.Unknown;
  /** Number of open braces within each open `${`. */
  const templates: number[] = [];
  for (let kind = scanner.scan(); kind !== SyntaxKind.EndOfFile; kind = scanner.scan()) {
    if (kind === SyntaxKind.SlashToken && !VALUE_ENDS.has(previous)) kind = scanner.reScanSlashToken();
    if (kind === SyntaxKind.CloseBraceToken && templates.at(-1) === 0) {
      kind = scanner.reScanTemplateToken(false);
      if (kind === SyntaxKind.TemplateTail) templates.pop();
    } else if (kind === SyntaxKind.TemplateHead) templates.push(0);
    else if (kind === SyntaxKind.OpenBraceToken) templates.push((templates.pop() ?? 0) + 1);
    else if (kind === SyntaxKind.CloseBraceToken) templates.push((templates.pop() ?? 1) - 1);
    if (kind === SyntaxKind.Identifier || kind === SyntaxKind.PrivateIdentifier)
      found.add(scanner.getTokenText());
    previous = kind;
  }
  return found;
}

/** The words of a name in lower case, from any notation: `LOOK_UP`, `lookUp`, `#lookUp`, `look-up.ts`. */
export function wordsOf(name: string): string[] {
  const spaced = name.replace(/([a-z\d])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$2 ');
  return spaced.toLowerCase().match(/[a-z]+/g) ?? [];
}
