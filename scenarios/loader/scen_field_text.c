/* What a field holds, in the words that the field takes.
 *
 * Custom values have words where somebody wrote them down here: durations, lengths, placements and
 * the checkpoint interval. The others (outages by height, lists of recoveries, host tables) have
 * none, so whoever compares scenarios does not see them differ. */
#include "scen_fields.h"
#include "scen_scenario.h"

static char *numbers_text(const GArray *list)
{
    GString *text = g_string_new("[");
    for (guint i = 0; list && i < list->len; i++)
        g_string_append_printf(text, "%s%.6g", i > 0 ? ", " : "", g_array_index(list, double, i));
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

static char *name_text(const ScenName *names, int value)
{
    for (const ScenName *name = names; name && name->text; name++)
        if (name->value == value)
            return g_strdup(name->text);
    return g_strdup_printf("%d", value);
}

static char *spread_text(const void *slot)
{
    const StratSpread *spread = slot;
    g_autofree char *mean = scen_quantity_text(spread->mean_s, SCEN_TIME_S);
    if (spread->cv <= 0.0 && spread->slow_fraction <= 0.0)
        return g_steal_pointer(&mean);
    g_autofree char *slow = scen_quantity_text(spread->slow_mean_s, SCEN_TIME_S);
    return g_strdup_printf("mean %s, cv %.6g, slow %.6g of %s", mean, spread->cv,
                           spread->slow_fraction, slow);
}

static char *length_text(const void *slot)
{
    const StratLength *length = &((const ScenLength *)slot)->length;
    g_autofree char *kind = name_text(scen_length_names, (int)length->kind);
    if (length->count > 0)
        return g_strdup_printf("%s of %zu", kind, length->count);
    return g_strdup_printf("%s, mean %.6g, sigma %.6g, %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                           kind, length->mean, length->sigma, length->least, length->most);
}

static char *placement_text(const void *slot)
{
    const ScenPlacement *placement = slot;
    g_autofree char *gpus = placement->gpus ? numbers_text(placement->gpus) : NULL;
    return g_strconcat(placement->kind ? placement->kind : "packed", gpus ? " " : NULL, gpus, NULL);
}

static char *every_text(const void *slot)
{
    const StratCampaignCheckpoint *checkpoint = slot;
    return checkpoint->every == STRAT_EVERY_FIXED
               ? scen_quantity_text(checkpoint->interval_s, SCEN_TIME_S)
               : name_text(scen_every_names, (int)checkpoint->every);
}

static const struct {
    ScenBindFunc bind;
    char *(*text)(const void *slot);
} customs[] = {
    {scen_spread_bind,    spread_text   },
    {scen_length_bind,    length_text   },
    {scen_placement_bind, placement_text},
    {scen_every_bind,     every_text    },
};

static char *custom_text(const ScenField *field, const void *slot)
{
    for (size_t i = 0; i < G_N_ELEMENTS(customs); i++)
        if (customs[i].bind == field->bind)
            return customs[i].text(slot);
    return NULL;
}

char *scen_field_text(const ScenField *field, const void *slot)
{
    switch (field->kind) {
    case SCEN_INT:
        return g_strdup_printf("%" G_GINT64_FORMAT, *(const int64_t *)slot);
    case SCEN_NUMBER:
        return g_strdup_printf("%.6g", *(const double *)slot);
    case SCEN_BOOL:
        return g_strdup(*(const bool *)slot ? "true" : "false");
    case SCEN_TEXT:
        return g_strdup(*(const char *const *)slot);
    case SCEN_ENUM:
        return name_text(field->names, *(const int *)slot);
    case SCEN_QUANTITY:
        return scen_quantity_text(*(const double *)slot, field->dimension);
    case SCEN_NUMBERS:
        return numbers_text(*(GArray *const *)slot);
    case SCEN_CUSTOM:
        return custom_text(field, slot);
    default:
        return NULL;
    }
}
