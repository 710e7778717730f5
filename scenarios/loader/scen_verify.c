/* Ranges of a struct in memory.
 *
 * The binder holds values to their table while it reads; a struct that was filled by code has to
 * meet the same table before checks may divide by its fields. A field that may be absent may be 0
 * (or NULL): that is how structs say "does not apply". Custom fields and lists are left alone. */
#include "scen_verify.h"

#include <math.h>

typedef struct Verify {
    ScenMarks *unsound;
    ScenErrors *errors;
    GString *path;
} Verify;

static bool is_range_sound(const ScenField *field, double value)
{
    bool optional = !field->required && !field->fallback;
    if (value == 0.0 && (optional || field->zero))
        return true;
    return value >= field->min && value <= field->max;
}

static bool is_name_sound(const ScenField *field, const char *text)
{
    if (!text || !field->names)
        return text || !field->required;
    for (const ScenName *name = field->names; name->text; name++)
        if (g_str_equal(name->text, text))
            return true;
    return false;
}

static bool is_value_sound(const ScenField *field, int value)
{
    for (const ScenName *name = field->names; name->text; name++)
        if (name->value == value)
            return true;
    return false;
}

static bool is_sound(const ScenField *field, const void *slot)
{
    switch (field->kind) {
    case SCEN_INT:
        return is_range_sound(field, (double)*(const int64_t *)slot);
    case SCEN_NUMBER:
        return is_range_sound(field, *(const double *)slot);
    case SCEN_QUANTITY: {
        double value = *(const double *)slot;
        bool absent = value == 0.0 && (field->zero || !field->required);
        return absent || scen_quantity_is_plausible(value, field->dimension);
    }
    case SCEN_TEXT:
        return is_name_sound(field, *(const char *const *)slot);
    case SCEN_ENUM:
        return is_value_sound(field, *(const int *)slot);
    default:
        return true;
    }
}

static void refuse(Verify *state, const ScenField *field)
{
    scen_marks_refuse(state->unsound, state->path->str);
    if (!state->errors)
        return;
    g_autofree char *expected = scen_field_expected(field);
    scen_errors_add(state->errors, (ScenMark){.file = state->path->str}, "must be %s", expected);
}

/* A section that may be left out, and is. */
static bool is_absent(const ScenField *field, const void *slot)
{
    const char *bytes = slot;
    for (size_t i = 0; field->zero && i < field->table->size; i++)
        if (bytes[i] != 0)
            return false;
    return field->zero;
}

static void verify(Verify *state, const ScenTable *table, const void *in)
{
    for (size_t i = 0; i < table->count; i++) {
        const ScenField *field = &table->fields[i];
        const void *slot = (const char *)in + field->offset;
        size_t length = state->path->len;
        g_string_append_printf(state->path, "%s%s", length ? "." : "", field->key);
        bool section = field->kind == SCEN_SECTION && !is_absent(field, slot);
        if (section || (field->kind == SCEN_MAP && field->required))
            verify(state, field->table, slot);
        else if (field->kind != SCEN_SECTION && !is_sound(field, slot))
            refuse(state, field);
        g_string_truncate(state->path, length);
    }
}

void scen_verify(const ScenTable *table, const void *in, ScenMarks *unsound, ScenErrors *errors)
{
    g_autoptr(GString) path = g_string_new(NULL);
    Verify state = {.unsound = unsound, .errors = errors, .path = path};
    verify(&state, table, in);
}
