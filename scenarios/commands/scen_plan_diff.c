/* Two plans compared by the table that binds plans, so that a key added there is known here. */
#include "scen_plan_diff.h"

#include "scen_fields.h"

static const char *word_of(const ScenField *field, int value)
{
    for (const ScenName *name = field->names; name && name->text; name++) {
        if (name->value == value)
            return name->text;
    }
    return "?";
}

const char *scen_plan_word(const char *key, int value)
{
    return word_of(scen_table_field(&scen_plan_table, key), value);
}

/* Maps within a plan whose struct is the plan itself (overlap) are walked as well. */
static void append(GString *out, const char *prefix, const ScenTable *table, const StratPlan *from,
                   const StratPlan *to)
{
    for (size_t i = 0; i < table->count; i++) {
        const ScenField *field = &table->fields[i];
        if (field->kind == SCEN_MAP && field->table->size == sizeof(StratPlan)) {
            g_autofree char *inner = g_strdup_printf("%s%s.", prefix, field->key);
            append(out, inner, field->table, from, to);
            continue;
        }
        g_autofree char *old = scen_field_text(field, (const char *)from + field->offset);
        g_autofree char *new = scen_field_text(field, (const char *)to + field->offset);
        if (g_strcmp0(old, new) != 0)
            g_string_append_printf(out, "%s%s%s=%s", out->len > 0 ? " " : "", prefix, field->key,
                                   new ? new : "null");
    }
}

char *scen_plan_diff(const StratPlan *from, const StratPlan *to)
{
    GString *out = g_string_new(NULL);
    append(out, "plan.", &scen_plan_table, from, to);
    return g_string_free(out, FALSE);
}
