/* deflate.h - bytes made smaller, as PNG and zip files hold them. Private to io. */
#ifndef THORAX_DEFLATE_H
#define THORAX_DEFLATE_H

#include "io.h"

/* A zlib stream (RFC 1950) of the bytes: the same for the same bytes on every machine. *out is the caller's. TX_ERR_MEMORY. */
tx_status tx_zlib_deflate(const unsigned char *bytes, size_t size, unsigned char **out, size_t *made);

#endif
