/* Groups after folding.
 *
 * Folded classes form an equitable partition: all groups with the same classes in them behave
 * alike, so they share one family. Its members' n-th collective operations meet in one group of the
 * program, made on first use. Families are told apart by their sorted classes and by what they meet
 * for: with one tensor rank and one replica, gang and data group are the same ranks. */
#include "strat_rendezvous.h"

typedef struct Family {
    uint32_t members;
    GArray *groups; /* of uint32_t */
} Family;

struct StratRendezvous {
    SimProgram *program;
    const StratFold *fold;
    GHashTable *by_key; /* text -> index + 1 */
    GArray *families;   /* of Family */
};

static void family_clear(Family *family)
{
    g_array_unref(family->groups);
}

StratRendezvous *strat_rendezvous_new(SimProgram *program, const StratFold *fold)
{
    StratRendezvous *r = g_new0(StratRendezvous, 1);
    r->program = program;
    r->fold = fold;
    r->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    r->families = g_array_new(FALSE, FALSE, sizeof(Family));
    g_array_set_clear_func(r->families, (GDestroyNotify)family_clear);
    return r;
}

void strat_rendezvous_free(StratRendezvous *rendezvous)
{
    if (!rendezvous)
        return;
    g_hash_table_unref(rendezvous->by_key);
    g_array_unref(rendezvous->families);
    g_free(rendezvous);
}

static gint compare_u32(gconstpointer a, gconstpointer b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

StratFamily strat_rendezvous_family(StratRendezvous *r, const StratGroup *group,
                                    const char *purpose)
{
    g_autoptr(GArray) classes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (int64_t i = 0; i < group->count; i++)
        g_array_append_val(classes, r->fold->class_of[group->first + i * group->stride]);
    g_array_sort(classes, compare_u32);
    g_autoptr(GString) key = g_string_new(purpose);
    uint32_t members = 0;
    for (guint i = 0; i < classes->len; i++) {
        uint32_t class = g_array_index(classes, uint32_t, i);
        if (i > 0 && class == g_array_index(classes, uint32_t, i - 1))
            continue;
        g_string_append_printf(key, " %u", class);
        members++;
    }
    if (members <= 1)
        return SIM_GROUP_NONE;
    gpointer known = g_hash_table_lookup(r->by_key, key->str);
    if (!known) {
        Family family = {members, g_array_new(FALSE, FALSE, sizeof(uint32_t))};
        g_array_append_val(r->families, family);
        known = GUINT_TO_POINTER(r->families->len);
        g_hash_table_insert(r->by_key, g_strdup(key->str), known);
    }
    return GPOINTER_TO_UINT(known) - 1;
}

uint32_t strat_rendezvous_at(StratRendezvous *r, StratFamily family, uint32_t nth)
{
    if (family == SIM_GROUP_NONE)
        return SIM_GROUP_NONE;
    Family *f = &g_array_index(r->families, Family, family);
    while (f->groups->len <= nth) {
        uint32_t group = sim_program_add_group(r->program, f->members);
        g_array_append_val(f->groups, group);
    }
    return g_array_index(f->groups, uint32_t, nth);
}
