import { readFileSync } from 'node:fs';
import path from 'node:path';
import type {
  Directive,
  ExportNamedDeclaration,
  ImportDeclaration,
  ModuleExportName,
  Node,
  Statement,
} from 'oxc-parser';
import { nodes, parse, type Source } from '../gates/sources.ts';

/** A declaration under the name that users know it by. */
export type Declared = { readonly name: string; readonly code: string };
/** One that others are made of, and the module that it stands in. */
export type Reached = Declared & { readonly file: string };

/** Where a name of a module comes from: a declaration of its own, or a name of another module. */
type Origin =
  | { readonly code: string; readonly nodes: readonly Node[] }
  | { readonly file: string; readonly name: string };
type Module = { readonly source: Source; readonly names: Map<string, Origin>; readonly exported: Map<string, string> };

/** The built modules of one package, followed from those that it exports. */
export class Declarations {
  readonly #modules = new Map<string, Module>();
  readonly #reached = new Map<string, Reached>();

  exportsOf(file: string): Declared[] {
    return [...this.#moduleAt(file).exported].flatMap(([name, local]) => {
      const code = this.#follow(file, local);
      return code === undefined ? [] : [{ name, code }];
    });
  }

  /** Every declaration that an exported one is made of. */
  reached(): Reached[] {
    return [...this.#reached.values()];
  }

  /** The declaration of a name; what it speaks of is reached. */
  #follow(file: string, name: string): string | undefined {
    const { names } = this.#moduleAt(file);
    const origin = names.get(name);
    if (!origin) return undefined;
    if ('file' in origin) return this.#follow(origin.file, origin.name);
    const key = `${file} ${name}`;
    if (this.#reached.has(key)) return origin.code;
    this.#reached.set(key, { name, code: origin.code, file });
    for (const node of origin.nodes.flatMap((each) => [...nodes(each)]))
      if (node.type === 'Identifier' && node.name !== name) this.#follow(file, node.name);
    return origin.code;
  }

  #moduleAt(file: string): Module {
    const known = this.#modules.get(file);
    if (known) return known;
    const module: Module = { source: parse(file, readFileSync(file, 'utf8')), names: new Map(), exported: new Map() };
    this.#modules.set(file, module);
    for (const statement of module.source.program.body) note(module, statement);
    return module;
  }
}

/** Takes down what a statement declares, imports or exports. */
function note(module: Module, statement: Statement | Directive): void {
  if (statement.type === 'ImportDeclaration') noteImport(module, statement);
  else if (statement.type !== 'ExportNamedDeclaration') noteDeclaration(module, statement, statement);
  else if (statement.declaration) noteDeclaration(module, statement, statement.declaration);
  else noteExport(module, statement);
}

function noteImport({ source, names }: Module, { source: from, specifiers }: ImportDeclaration): void {
  if (!from.value.startsWith('.')) return;
  for (const each of specifiers)
    if (each.type === 'ImportSpecifier')
      names.set(each.local.name, { file: fileOf(source, from.value), name: nameOf(each.imported) });
}

function noteExport({ source, names, exported }: Module, { source: from, specifiers }: ExportNamedDeclaration): void {
  for (const each of specifiers) {
    const local = nameOf(each.local);
    exported.set(nameOf(each.exported), local);
    if (from) names.set(local, { file: fileOf(source, from.value), name: local });
  }
}

function noteDeclaration({ source, names, exported }: Module, statement: Node, declaration: Node): void {
  for (const name of namesOf(declaration)) {
    const earlier = names.get(name);
    // A function may have several signatures.
    const [code, before] = earlier && 'code' in earlier ? [`${earlier.code}\n`, earlier.nodes] : ['', []];
    names.set(name, { code: code + codeOf(source, statement), nodes: [...before, statement] });
    if (statement !== declaration) exported.set(name, name);
  }
}

/** Built declarations name each other by `.ts` or `.js`. */
function fileOf({ file }: Source, from: string): string {
  return path.join(path.dirname(file), from.replace(/\.[jt]s$/, '.d.ts'));
}

function nameOf(name: ModuleExportName): string {
  return name.type === 'Literal' ? name.value : name.name;
}

function namesOf(declaration: Node): string[] {
  if (declaration.type === 'VariableDeclaration')
    return declaration.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
  return 'id' in declaration && declaration.id?.type === 'Identifier' ? [declaration.id.name] : [];
}

/** A statement without its comments. */
function codeOf({ text, comments }: Source, { start, end }: Node): string {
  let code = '';
  let at = start;
  for (const comment of comments.filter((each) => each.start >= start && each.end <= end)) {
    code += text.slice(at, comment.start);
    at = comment.end;
  }
  const lines = (code + text.slice(at, end)).split('\n');
  return lines.filter((line) => line.trim() !== '').join('\n');
}
