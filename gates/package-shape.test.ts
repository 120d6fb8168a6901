import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageFolders, root } from './sources.ts';

type Json = { readonly [key: string]: unknown };

describe.for(packageFolders())('%s', (folder) => {
  const manifest = read(folder);

  test('has the shape that every published package has', () => {
    expect(manifest).toMatchObject({
      name: `@polyrun/${path.basename(folder)}`,
      license: 'MIT',
      type: 'module',
      sideEffects: false,
      engines: { node: '>=22.12' },
      files: expect.arrayContaining(['dist', 'src']),
      publishConfig: { access: 'public', provenance: true },
      repository: { type: 'git', url: 'git+https://github.com/polyrun/polyrun.git', directory: folder },
    });
    expect(manifest['private']).toBeUndefined();
    expect(manifest['description']).toMatch(/\.$/);
    expect(existsSync(path.join(root, folder, 'LICENSE'))).toBe(true);
  });

  test('does nothing when it is installed, and is named by a changeset until its first release', () => {
    const installing = Object.keys(Object(manifest['scripts'])).filter((script) => /install|^prepare$/.test(script));
    expect(installing).toEqual([]);
    const changes = globSync('.changeset/*.md', { cwd: root }).map((file) =>
      readFileSync(path.join(root, file), 'utf8'),
    );
    const named = changes.some((text) => text.includes(`'${String(manifest['name'])}': minor`));
    expect(named || manifest['version'] !== '0.0.0').toBe(true);
  });

  test('has exports that name their types first and exist once built', () => {
    const doors = Object.entries(Object(manifest['exports'])).filter(([door]) => door !== './package.json');
    expect(doors.length).toBeGreaterThan(0);
    for (const [door, conditions] of doors) {
      expect(Object.keys(Object(conditions)), door).toEqual(['types', 'default']);
      for (const target of Object.values(Object(conditions))) {
        expect(existsSync(path.join(root, folder, String(target))), String(target)).toBe(true);
      }
    }
  });

  const rule = folder === 'packages/core' ? 'depends on nothing' : 'shares the one core of its user';
  test(rule, () => {
    const { dependencies, devDependencies, peerDependencies, optionalDependencies } = manifest;
    if (folder === 'packages/core') {
      expect({ dependencies, peerDependencies, optionalDependencies }).toEqual({});
    } else {
      expect(peerDependencies).toMatchObject({ '@polyrun/core': 'workspace:^' });
      expect(devDependencies).toMatchObject({ '@polyrun/core': 'workspace:*' });
      expect(Object.keys(Object(dependencies))).not.toContain('@polyrun/core');
    }
  });
});

function read(folder: string): Json {
  const manifest: unknown = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
  return Object(manifest);
}
