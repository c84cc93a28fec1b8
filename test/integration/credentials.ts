/** The credentials that every server takes. */
export const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
