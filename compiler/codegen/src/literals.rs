//! Immortal objects, side by side in one block that belongs to the module: a TEXT for each Text or Bytes literal, and a CASE for
//! each index that a case without fields may have.

use weir_abi::layout::{self, shape};
use weir_abi::types::TypeDesc;

/// 16 bytes at an address that is a multiple of 16, as objects want it.
#[repr(align(16))]
#[derive(Clone, Copy)]
struct Unit([u64; 2]);

const _: () = assert!(align_of::<Unit>() == layout::ALIGN && size_of::<Unit>() == layout::ALIGN);
const _: () = assert!(layout::CASE_SIZE as usize == layout::ALIGN && layout::CASE_INDEX == 8);

/// All literals of a module. Never written once built, never moved (the block is on the heap).
pub(crate) struct Literals {
    block: Box<[Unit]>,
    /// Byte offset of each literal's object.
    offsets: Vec<usize>,
    /// Byte offset of the first case's object; the others follow.
    cases: usize,
}

impl Literals {
    /// Objects for these texts, in their order, and for the cases of these types.
    pub(crate) fn new(texts: &[Vec<u8>], types: &[TypeDesc]) -> Self {
        let mut offsets = Vec::with_capacity(texts.len());
        let mut units = 0;
        for text in texts {
            offsets.push(units * layout::ALIGN);
            units += (layout::TEXT_DATA as usize + text.len()).div_ceil(layout::ALIGN);
        }
        let cases = units * layout::ALIGN;
        let most_cases = types.iter().map(|ty| match ty {
            TypeDesc::Enum(_, cases) if ty.is_ref() => cases.len(),
            _ => 0,
        });
        units += most_cases.max().unwrap_or(0);
        let mut block = vec![Unit([0; 2]); units].into_boxed_slice();
        for (index, unit) in block[cases / layout::ALIGN..].iter_mut().enumerate() {
            *unit = Unit([layout::immortal_header(shape::CASE), index as u64]);
        }
        let base = block.as_ptr() as u64;
        for (text, &offset) in texts.iter().zip(&offsets) {
            let data = base + offset as u64 + layout::TEXT_DATA as u64;
            let mut bytes = Vec::with_capacity(layout::TEXT_DATA as usize + text.len() + layout::ALIGN);
            bytes.extend_from_slice(&layout::immortal_header(shape::TEXT).to_ne_bytes());
            bytes.extend_from_slice(&(text.len() as u64).to_ne_bytes());
            bytes.extend_from_slice(&data.to_ne_bytes());
            bytes.extend_from_slice(text);
            bytes.resize(bytes.len().next_multiple_of(layout::ALIGN), 0);
            for (unit, bytes) in
                block[offset / layout::ALIGN..].iter_mut().zip(bytes.chunks_exact(layout::ALIGN))
            {
                let (low, high) = bytes.split_at(8);
                unit.0 = [low, high].map(|w| u64::from_ne_bytes(w.try_into().expect("half of 16 bytes")));
            }
        }
        Self { block, offsets, cases }
    }

    /// The address of a literal's object.
    pub(crate) fn address(&self, index: u32) -> i64 {
        self.block.as_ptr() as i64 + self.offsets[index as usize] as i64
    }

    /// The address of the object of a case without fields.
    pub(crate) fn case(&self, index: u32) -> i64 {
        let offset = self.cases + index as usize * layout::CASE_SIZE as usize;
        debug_assert!(offset < size_of_val(&*self.block), "compiler bug: no type has a case {index}");
        self.block.as_ptr() as i64 + offset as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_an_immortal_text() {
        let texts = ["", "a", "exactly8", "sixteen bytes ok", "grün"].map(|text| text.as_bytes().to_vec());
        let literals = Literals::new(&texts, &[]);
        for (i, text) in texts.iter().enumerate() {
            let object = literals.address(i as u32) as *const u64;
            assert_eq!(object as usize % layout::ALIGN, 0);
            // SAFETY: `new` lays out three words and the text's bytes there, inside the block.
            unsafe {
                assert_eq!(*object, layout::immortal_header(shape::TEXT));
                let (len, data) = (*object.add(1) as usize, *object.add(2) as *const u8);
                assert_eq!(data as usize, object as usize + layout::TEXT_DATA as usize);
                assert_eq!(std::slice::from_raw_parts(data, len), text);
            }
        }
    }
}
