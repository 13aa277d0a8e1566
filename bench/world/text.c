/* SPDX-License-Identifier: Apache-2.0 */
/* text: numbers, amounts, times and ids as text, quick enough for a million events a second. */
#include "inside.h"

void put_digits(struct world_text *text, uint64_t number, unsigned width)
{
    for (unsigned i = width; i-- > 0; number /= 10)
        text->at[i] = (char)('0' + number % 10);
    text->at += width;
}

void put_number(struct world_text *text, uint64_t number)
{
    unsigned width = 1;
    for (uint64_t rest = number; rest >= 10; rest /= 10)
        width++;
    put_digits(text, number, width);
}

void put_fen(struct world_text *text, int64_t amount_fen)
{
    if (amount_fen < 0) {
        PUT(text, "-");
        amount_fen = -amount_fen;
    }
    put_number(text, (uint64_t)amount_fen / 100);
    PUT(text, ".");
    put_digits(text, (uint64_t)amount_fen % 100, 2);
}

void put_base62(struct world_text *text, uint64_t draw, unsigned width)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint64_t rest = draw;
    for (unsigned i = 0; i < width; i++) {
        if (i % 10 == 0)
            rest = mix(draw + i);
        put_byte(text, digits[rest % 62]);
        rest /= 62;
    }
}

static void put_hex(struct world_text *text, uint64_t number, unsigned width)
{
    for (unsigned i = width; i-- > 0; number >>= 4)
        text->at[i] = "0123456789abcdef"[number & 15];
    text->at += width;
}

void put_uuid(struct world_text *text, uint64_t high, uint64_t low)
{
    put_hex(text, high >> 32, 8);
    PUT(text, "-");
    put_hex(text, high >> 16 & 0xffff, 4);
    PUT(text, "-4");
    put_hex(text, high & 0xfff, 3);
    PUT(text, "-");
    put_hex(text, (low >> 48 & 0x3fff) | 0x8000, 4);
    PUT(text, "-");
    put_hex(text, low & 0xffffffffffff, 12);
}

void put_time(struct world_text *text, const struct world *world, uint32_t at_s, unsigned ms)
{
    int64_t s = world->begin_ms / 1000 + at_s;
    int64_t day = s / DAY_S - world->begin_ms / 1000 / DAY_S;
    uint32_t rest = (uint32_t)(s % DAY_S);
    put_bytes(text, world->dates[day], 10);
    PUT(text, "T");
    put_digits(text, rest / HOUR_S, 2);
    PUT(text, ":");
    put_digits(text, rest / 60 % 60, 2);
    PUT(text, ":");
    put_digits(text, rest % 60, 2);
    PUT(text, ".");
    put_digits(text, ms, 3);
    PUT(text, "Z");
}
