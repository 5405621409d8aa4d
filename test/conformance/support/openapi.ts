/**
 * Checks whether the OpenAPI document describes a response. Schemas and references are resolved against the
 * document that the service itself serves.
 *
 * The document lets values and fields of responses grow, so that generated clients accept new ones. The
 * service under test must send only values and fields that the document names, so the schemas are closed here.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

type Json = Record<string, unknown>;

const DOCUMENT = 'urn:numgate:openapi';
/** Headers with a meaning in this API. The document must describe each one that a response has. */
const DESCRIBED_HEADERS =
  /^(accept-encoding|allow|etag|numgate-.*|ratelimit(-policy)?|retry-after|www-authenticate|x-next|x-refused)$/;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A part of the document with its open enumerations and objects closed. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([name, one]) => [name, name === 'example' ? one : closed(one)]);
  const copy = Object.fromEntries(entries) as Json;
  const { 'x-extensible-enum': known, type, properties, additionalProperties } = copy;
  if (Array.isArray(known)) copy.enum = Array.isArray(type) ? [...known, null] : known;
  if (type === 'object' && properties !== undefined && additionalProperties === undefined)
    copy.additionalProperties = false;
  return copy;
}

function pointerOf(...parts: string[]): string {
  return parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export class OpenApi {
  readonly document: Json;
  readonly #ajv = new Ajv2020({ strictTypes: false, strictRequired: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: Json) {
    this.document = document;
    addFormats.default(this.#ajv);
    // The document itself is the root of its schemas. JSON Schema does not know these keywords.
    this.#ajv.addVocabulary(['openapi', 'info', 'servers', 'security', 'tags', 'paths', 'components']);
    this.#ajv.addVocabulary(['x-extensible-enum']);
    const strict = { ...document, components: closed(document.components) };
    this.#ajv.addSchema(strict, DOCUMENT, false, false);
  }

  /** The value at a pointer after following references, together with its final pointer. */
  #at(pointer: string): { pointer: string; value: unknown } {
    let value: unknown = this.document;
    let at = '';
    for (const part of pointer.split('/').slice(1)) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      value = isObject(value) ? value[name] : undefined;
      at += `/${part}`;
      if (isObject(value) && typeof value.$ref === 'string')
        ({ pointer: at, value } = this.#at(value.$ref.slice(1)));
    }
    return { pointer: at, value };
  }

  /** @returns the errors of the value, or '' */
  #errors(pointer: string, value: unknown): string {
    const reference = `${DOCUMENT}#${encodeURI(pointer)}`;
    const validate = this.#validators.get(pointer) ?? this.#ajv.compile({ $ref: reference });
    this.#validators.set(pointer, validate);
    return validate(value) ? '' : `${pointer}: ${this.#ajv.errorsText(validate.errors)}`;
  }

  /** @param name of a schema of the components */
  errorsAs(name: string, value: unknown): string {
    return this.#errors(pointerOf('components', 'schemas', name), value);
  }

  /** The path in the document, with parameters in braces, or the given path if it has none. */
  #template(path: string): string {
    const paths = Object.keys(this.document.paths as Json);
    if (paths.includes(path)) return path;
    const fits = (template: string): boolean =>
      new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
    return paths.find(fits) ?? path;
  }

  methodsOf(path: string): string[] {
    const { value } = this.#at(pointerOf('paths', this.#template(path)));
    return isObject(value)
      ? Object.keys(value).filter((name) => /^(get|post|put|delete|patch)$/.test(name))
      : [];
  }

  /** Errors of the body of a request that returned 200. */
  requestErrors(path: string, method: string, body: unknown): string {
    const place = pointerOf(
      'paths',
      this.#template(path),
      method.toLowerCase(),
      'requestBody',
      'content',
      'application/json',
      'schema',
    );
    return this.#errors(this.#at(place).pointer, body);
  }

  /** @param body parsed if it is JSON, else the text */
  responseErrors(path: string, method: string, response: Response, body: unknown): string {
    const methods = this.methodsOf(path);
    const type = (response.headers.get('content-type') ?? '').split(';')[0]!;
    // A path that is not in the document can only return a problem.
    if (methods.length === 0) return this.errorsAs('Problem', body);
    const known = methods.includes(method.toLowerCase()) ? method.toLowerCase() : methods[0]!;
    const place = this.#at(
      pointerOf('paths', this.#template(path), known, 'responses', String(response.status)),
    );
    if (place.value === undefined) return `${method} ${path}: ${response.status} is not described`;
    const content = this.#at(place.pointer + pointerOf('content', type, 'schema'));
    if (content.value === undefined) return `${method} ${path} ${response.status}: ${type} is not described`;
    const headers =
      isObject(place.value) && isObject(place.value.headers) ? Object.keys(place.value.headers) : [];
    const extra = [...response.headers.keys()].filter(
      (name) =>
        DESCRIBED_HEADERS.test(name) && !headers.some((described) => described.toLowerCase() === name),
    );
    return [
      this.#errors(content.pointer, body),
      ...headers.map((name) => this.#headerErrors(place.pointer, name, response.headers.get(name))),
      ...extra.map((name) => `${method} ${path} ${response.status}: header ${name} is not described`),
    ]
      .filter((text) => text !== '')
      .join('; ');
  }

  #headerErrors(pointer: string, name: string, text: string | null): string {
    const header = this.#at(pointer + pointerOf('headers', name));
    const { required } = header.value as { required?: boolean };
    if (text === null) return required === true ? `header ${name} is missing` : '';
    const schema = this.#at(`${header.pointer}/schema`);
    const { type } = schema.value as { type?: string };
    return this.#errors(schema.pointer, type === 'integer' ? Number(text) : text);
  }
}
