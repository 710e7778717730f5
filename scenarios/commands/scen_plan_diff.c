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

/* The text of a value, NULL for kinds that no knob turns. */
static char *value_text(const ScenField *field, const StratPlan *plan)
{
    const void *slot = (const char *)plan + field->offset;
    switch (field->kind) {
    case SCEN_INT:
        return g_strdup_printf("%" G_GINT64_FORMAT, *(const int64_t *)slot);
    case SCEN_BOOL:
        return g_strdup(*(const bool *)slot ? "true" : "false");
    case SCEN_TEXT:
        return g_strdup(*(const char *const *)slot);
    case SCEN_ENUM:
        return g_strdup(word_of(field, *(const int *)slot));
    default:
        return NULL;
    }
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
        g_autofree char *old = value_text(field, from), *new = value_text(field, to);
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
