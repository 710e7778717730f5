/* A table is an array of structs whose first member is the row's name. Looking one up is on the way of
 * every price, so the names that are known are listed only where the name is not among them. */
#include "sim_row.h"

static const char *name_of(const void *rows, size_t index, size_t size)
{
    return *(const char *const *)(const void *)((const char *)rows + index * size);
}

const void *sim_row_by_name(const void *rows, size_t count, size_t size, const char *name,
                            const char *what, GQuark domain, int code, GError **error)
{
    for (size_t i = 0; i < count; i++)
        if (g_strcmp0(name_of(rows, i, size), name) == 0)
            return (const char *)rows + i * size;
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(known, " %s", name_of(rows, i, size));
    g_set_error(error, domain, code, "unknown %s '%s', known:%s", what, name ? name : "",
                known->str);
    return NULL;
}
