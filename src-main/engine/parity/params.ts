import type { z } from 'zod'
import { checked } from '../weights/read-json.ts'
import type { ReferenceCase } from './reference-set.ts'

/** The parameters of a case by a schema. @throws UserError `bad-config` that names the case */
export function paramsOf<S extends z.ZodType>(one: ReferenceCase, schema: S): z.output<S> {
  return checked(`case "${one.name}"`, one.params, schema)
}
