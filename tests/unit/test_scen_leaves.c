/* The numbers of an answer by their paths. */
#include "scen_leaves.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(scen_leaves, numbers_come_in_the_order_of_the_document)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) leaves =
        scen_leaves_of("{\"schema\": 1, \"name\": \"x\", \"b\": {\"z_s\": 0.1, "
                       "\"fits\": true, \"schema\": 2}, \"a\": [3, null, "
                       "{\"k\": -4}]}",
                       &error);
    static const struct {
        const char *path;
        double value;
    } want[] = {
        {"b.z_s",    0.1 },
        {"b.schema", 2.0 },
        {"a.0",      3.0 },
        {"a.2.k",    -4.0},
    };
    cr_assert(leaves != NULL, "%s", error ? error->message : "");
    cr_assert(eq(u32, leaves->len, G_N_ELEMENTS(want)));
    for (guint i = 0; i < leaves->len; i++) {
        const ScenLeaf *leaf = &g_array_index(leaves, ScenLeaf, i);
        cr_expect(eq(str, leaf->path, (char *)want[i].path));
        cr_expect(leaf->value == want[i].value);
    }
    cr_expect(scen_leaves_find(leaves, "a.2.k")->value == -4.0);
    cr_expect_null(scen_leaves_find(leaves, "a.2"));
}

Test(scen_leaves, what_is_no_json_is_refused)
{
    g_autoptr(GError) error = NULL;
    cr_expect_null(scen_leaves_of("{", &error));
    cr_expect(error != NULL);
}
