//! CRC-32C (Castagnoli, RFC 3720 appendix B.4): finds what a disk got wrong, eight bytes a step.

/// The polynomial, bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;
const TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        tables[0][byte] = value;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// The checksum of `bytes` after what `seed` is the checksum of; 0 = nothing before.
pub(super) fn crc32c(seed: u32, bytes: &[u8]) -> u32 {
    let mut value = !seed;
    // Every index is a byte, every table has 256 places.
    let place = |table: usize, value: u32, shift: u32| TABLES[table][((value >> shift) & 0xff) as usize];
    let (eights, rest) = bytes.as_chunks::<8>();
    for &[a, b, c, d, e, f, g, h] in eights {
        let low = value ^ u32::from_le_bytes([a, b, c, d]);
        let high = u32::from_le_bytes([e, f, g, h]);
        value = place(7, low, 0)
            ^ place(6, low, 8)
            ^ place(5, low, 16)
            ^ place(4, low, 24)
            ^ place(3, high, 0)
            ^ place(2, high, 8)
            ^ place(1, high, 16)
            ^ place(0, high, 24);
    }
    for &byte in rest {
        value = (value >> 8) ^ place(0, value ^ u32::from(byte), 0);
    }
    !value
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn the_sums_of_rfc_3720() {
        assert_eq!(crc32c(0, b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(0, &[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(0, &[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(crc32c(0, b"1234"), b"56789"), 0xe306_9283);
    }
}
