import path from 'node:path';
import { Application, type ProjectReflection } from 'typedoc';
import type { PluginOptions } from 'typedoc-plugin-markdown';
import { doors, repository, root } from './places.ts';

/** Writes the reference of all public packages as Markdown, a page for each thing they export. Throws for what TypeDoc complains of. */
export async function writeReference(folder: string): Promise<void> {
  const app = await Application.bootstrapWithPlugins({
    ...layout,
    entryPoints: doors().map(({ source }) => path.join(root, source)),
    tsconfig: path.join(root, 'docs/site/tsconfig.reference.json'),
    plugin: ['typedoc-plugin-markdown'],
    outputs: [{ name: 'markdown', path: folder }],
    // The packages' own builds check the types.
    skipErrorChecking: true,
    readme: 'none',
    logLevel: 'Warn',
    disableGit: true,
    basePath: root,
    sourceLinkTemplate: `${repository}/packages/{path}#L{line}`,
    excludePrivate: true,
    excludeExternals: true,
    excludeInternal: true,
    sort: ['kind', 'alphabetical'],
    validation: { invalidLink: true, invalidPath: true, notExported: false, notDocumented: false, rewrittenLink: true },
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('TypeDoc could not read the packages.');
  nameModules(project);
  app.validate(project);
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('TypeDoc has complaints; they stand above.');
}

const layout: PluginOptions = {
  entryFileName: 'index',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  parametersFormat: 'table',
  propertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  expandObjects: false,
  useCodeBlocks: true,
  pageTitleTemplates: { member: '{name}', module: '{name}' },
};

/** Modules are called what one imports. */
function nameModules({ children = [] }: ProjectReflection): void {
  for (const module of children) {
    const file = module.sources?.[0]?.fileName;
    const door = doors().find(({ source }) => source === file);
    if (door === undefined) throw new Error(`No package exports ${file}.`);
    module.name = door.name;
  }
}
