/** Who asks, as it is logged, until there is identity: whatever replaces it goes where this is used. */
export const anonymous = 'anonymous'
