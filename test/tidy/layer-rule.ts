// The layer rule: what each import of src/ may point to. The order itself is in layers.ts.

import { posix } from 'node:path'
import {
  LAYERS,
  type Layer,
  layerOf,
  PACKAGE_HOMES,
  PURE_NODE_MODULES,
  PURE_PACKAGES,
} from './layers.ts'
import { type ImportSite, importsOf, type SourceFile } from './source-file.ts'

/** What breaks the layer rule in `files`, the files of src/: one sentence for each. */
export function layerViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const path = file.path.slice('src/'.length)
    const layer = LAYERS[layerOf(path)]
    if (layer === undefined) return [unplaced(file.path)]
    return importsOf(file).flatMap((site) => {
      const reason = objection(path, layer, site.specifier)
      return reason === undefined ? [] : [`${file.path}:${site.line}: ${reason}`]
    })
  })
}

function unplaced(path: string): string {
  return `${path}: LAYERS in test/tidy/layers.ts does not place it; add it to the row it belongs to`
}

function objection(path: string, layer: Layer, specifier: ImportSite['specifier']) {
  if (specifier.startsWith('.')) return localObjection(path, layer, specifier)
  if (specifier.startsWith('node:')) return nodeObjection(layer, specifier)
  return packageObjection(path, layer, specifier)
}

function localObjection(path: string, layer: Layer, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(path), specifier)
  if (target.startsWith('..')) return `"${specifier}" leaves src/; src/ imports only src/`
  const targetLayer = LAYERS[layerOf(target)]
  if (targetLayer === undefined) return unplaced(`src/${target}`)
  if (LAYERS.indexOf(targetLayer) > LAYERS.indexOf(layer)) {
    return `${layer.name} may not import src/${target}: ${targetLayer.name} stands below it`
  }
  const foreign = posix.dirname(target) !== posix.dirname(path)
  if (layer.adapters && targetLayer === layer && foreign) {
    return `an adapter may not import an adapter of another folder, src/${target}`
  }
  return undefined
}

function nodeObjection(layer: Layer, specifier: string): string | undefined {
  if (!layer.pure || PURE_NODE_MODULES.includes(specifier)) return undefined
  return `${layer.name} is pure and may not import ${specifier}`
}

function packageObjection(path: string, layer: Layer, specifier: string): string | undefined {
  const name = packageName(specifier)
  if (name === 'millrace') return `"${specifier}" is this package; use the relative path`
  const homes = PACKAGE_HOMES[name]
  if (homes !== undefined && !homes.some((home) => path.startsWith(home))) {
    return `${name} may be imported only under ${homes.join(' and ')}`
  }
  if (layer.pure && !PURE_PACKAGES.includes(name)) {
    return `${layer.name} is pure and may not import ${name}`
  }
  return undefined
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
