/* A table is an array of structs whose first member is the row's name. */
#include "sim_row.h"

const void *sim_row_by_name(const void *rows, size_t count, size_t size, const char *name,
                            const char *what, GQuark domain, int code, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < count; i++) {
        const void *row = (const char *)rows + i * size;
        const char *own = *(const char *const *)row;
        if (g_strcmp0(own, name) == 0)
            return row;
        g_string_append_printf(known, " %s", own);
    }
    g_set_error(error, domain, code, "unknown %s '%s', known:%s", what, name ? name : "",
                known->str);
    return NULL;
}
