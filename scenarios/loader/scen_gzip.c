/* gzip (RFC 1952), by GIO's converter. A file of several members, as concatenation makes, is read
 * as its first one. The bound on what comes out is checked as it comes, so a small file that would
 * fill the memory fails early. */
#include "scen_gzip.h"

#include "scen_errors.h"

#include <gio/gio.h>

bool scen_gzip_is(const char *bytes, gsize length)
{
    return length >= 2 && (guint8)bytes[0] == 0x1f && (guint8)bytes[1] == 0x8b;
}

char *scen_gzip_inflate(const char *bytes, gsize length, gsize most, gsize *out_length,
                        GError **error)
{
    g_autoptr(GInputStream) packed =
        g_memory_input_stream_new_from_data(bytes, (gssize)length, NULL);
    g_autoptr(GZlibDecompressor) gzip = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    g_autoptr(GInputStream) stream = g_converter_input_stream_new(packed, G_CONVERTER(gzip));
    g_autoptr(GString) text = g_string_new(NULL);
    char piece[64 << 10];
    for (;;) {
        gssize got = g_input_stream_read(stream, piece, sizeof piece, NULL, error);
        if (got < 0)
            return NULL;
        if (got == 0)
            break;
        g_string_append_len(text, piece, got);
        if (text->len > most) {
            g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "unpacks to more than %u MiB",
                        (guint)(most >> 20));
            return NULL;
        }
    }
    *out_length = text->len;
    return g_string_free(g_steal_pointer(&text), FALSE);
}
