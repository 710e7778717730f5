/* A small text file, read whole.
 *
 * The size is bounded while reading, not asked beforehand, so that a device or a pipe that never
 * ends is refused as well as a file of 100 MB. The text must be UTF-8 without NUL bytes. */
#include "scen_doc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static GByteArray *read_bounded(FILE *file, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    uint8_t chunk[16384];
    size_t got = 0;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) {
        g_byte_array_append(bytes, chunk, (guint)got);
        if (bytes->len > SCEN_DOC_BYTES_MAX) {
            g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                        "larger than %d MiB, so hardly a document of ours",
                        SCEN_DOC_BYTES_MAX >> 20);
            return NULL;
        }
    }
    if (ferror(file)) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "cannot be read: %s", g_strerror(errno));
        return NULL;
    }
    if (bytes->len == 0) {
        g_set_error_literal(error, SCEN_ERROR, SCEN_ERROR_WRONG, "the file is empty");
        return NULL;
    }
    return g_steal_pointer(&bytes);
}

char *scen_file_read(const char *path, size_t *length, GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "is a folder, not a file");
        return NULL;
    }
    FILE *file = fopen(path, "rbe");
    if (!file) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "cannot be opened: %s", g_strerror(errno));
        return NULL;
    }
    GByteArray *bytes = read_bounded(file, error);
    fclose(file);
    if (!bytes)
        return NULL;
    *length = bytes->len;
    g_byte_array_append(bytes, (const uint8_t *)"", 1);
    char *text = (char *)g_byte_array_free(bytes, FALSE);
    const char *bad = NULL;
    if (!g_utf8_validate_len(text, *length, &bad)) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "not a text file: byte 0x%02x at offset %zu is not UTF-8 text",
                    (unsigned)(unsigned char)*bad, (size_t)(bad - text));
        g_free(text);
        return NULL;
    }
    return text;
}
