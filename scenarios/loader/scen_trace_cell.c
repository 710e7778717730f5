/* Cells of a trace. Dates are of the proleptic Gregorian calendar; a date without a zone is taken
 * for UTC, which only matters where a trace changes its zone. */
#include "scen_trace_cell.h"

#include <glib.h>
#include <string.h>

enum { DIGITS_MAX = 12 }; /* 10^12 is below 2^40 */

bool scen_trace_cell_whole(ScenSlice cell, int64_t *value)
{
    size_t length = cell.length;
    while (length > 2 && cell.text[length - 1] == '0' && memchr(cell.text, '.', length - 1))
        length--;
    length -= length > 1 && length < cell.length && cell.text[length - 1] == '.';
    *value = 0;
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isdigit(cell.text[i]) || i >= DIGITS_MAX)
            return false;
        *value = 10 * *value + (cell.text[i] - '0');
    }
    return length > 0;
}

/* The whole number of @digits digits at @text, -1 when it is none. */
static int64_t digits_at(const char *text, int digits)
{
    int64_t value = 0;
    for (int i = 0; i < digits; i++) {
        if (!g_ascii_isdigit(text[i]))
            return -1;
        value = 10 * value + (text[i] - '0');
    }
    return value;
}

SimTime scen_trace_cell_date(ScenSlice cell)
{
    static const char shape[] = "0000-00-00 00:00:00";
    enum { SHAPE = sizeof shape - 1, UNIX_DAY = 719163 };
    for (size_t i = 0; i < SHAPE; i++) {
        char c = i < cell.length ? cell.text[i] : '\0';
        if (shape[i] == '0' ? !g_ascii_isdigit(c) : c != shape[i] && !(i == 10 && c == 'T'))
            return -1;
    }
    int64_t year = digits_at(cell.text, 4), month = digits_at(cell.text + 5, 2),
            day = digits_at(cell.text + 8, 2), hour = digits_at(cell.text + 11, 2),
            minute = digits_at(cell.text + 14, 2), second = digits_at(cell.text + 17, 2);
    if (year < 1971 || year > 2261 || hour > 23 || minute > 59 || second > 60 ||
        !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year))
        return -1;
    GDate date;
    g_date_clear(&date, 1);
    g_date_set_dmy(&date, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
    const char *at = cell.text + SHAPE, *end = cell.text + cell.length;
    SimTime fraction = 0, place = SIM_TIME_SECOND;
    if (at < end && *at == '.')
        for (at++; at < end && g_ascii_isdigit(*at); at++)
            fraction += (place /= 10) * (*at - '0');
    int64_t zone = 0;
    if (end - at == 6 && (*at == '+' || *at == '-') && digits_at(at + 1, 2) >= 0 && at[3] == ':' &&
        digits_at(at + 4, 2) >= 0) {
        zone = (digits_at(at + 1, 2) * 60 + digits_at(at + 4, 2)) * (*at == '-' ? -60 : 60);
        at += 6;
    }
    at += at < end && *at == 'Z';
    int64_t days = (int64_t)g_date_get_julian(&date) - UNIX_DAY;
    int64_t seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - zone;
    return at == end ? seconds * SIM_TIME_SECOND + fraction : -1;
}

int64_t scen_trace_cell_session(ScenSlice cell)
{
    int64_t number = -1;
    if (cell.length == 0 || scen_trace_cell_whole(cell, &number))
        return number;
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
    for (size_t i = 0; i < cell.length; i++)
        hash = (hash ^ (uint8_t)cell.text[i]) * UINT64_C(0x100000001B3);
    return (int64_t)(hash >> 1);
}
