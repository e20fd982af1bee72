// The character classes of Hugging Face's tokenizers 0.23.3, as ranges of code points.
//
// Written by test/fixtures/tokenizer/unicode_tables.py, which asks the library about every code
// point; never edited. JavaScript's own classes belong to another version of Unicode, and to a
// different one in every runtime, so that ids would depend on it.
//
// A range is its distance from the end of the one before, and its length less one: `1t+p`, base 36.

export const LETTERS =
  '1t+p 7+p 1c b 5 6+m 2+u 2+cp 5+b f+4 8 2 3m+4 2+1 3+3 2 7 2+2 2 2+j 2+2a 2+3u 9+4l 2+11 3 7+14 20+q 5+3 ' +
  '1a+16 10+1 2+2q 2 g+1 8+1 b+2 3 h 2+t u+2g c p+w a+1 5 6+l 5 a 4 o+o 8+a 6+n 2+5 i+15 1n+1h 4 j 8+9 g+f 5+7 ' +
  '3+1 3+l 2+6 2 4+3 4 h e+1 2+2 f+1 b 9+5 5+1 3+l 2+6 2+1 2+1 2+1 w+3 2 k+2 h+8 2+2 2+l 2+6 2+1 2+4 4 j g+1 o ' +
  'c+7 3+1 3+l 2+6 2+1 2+4 4 v+1 2+2 g i 2+5 4+2 2+3 4+1 2 2+1 4+1 4+2 4+b n 1h+7 2+2 2+m 2+f 4 r+2 3 3+1 v ' +
  '5+7 2+2 2+m 2+9 2+4 4 w+1 2+1 g+1 i+8 2+2 2+14 3 h 6+2 9+2 p+5 6+h 4+n 2+8 2 3+6 1n+1b 2+1 d+6 1n+1 2 2+4 ' +
  '2+n 2 2+9 2+1 a 3+4 2 m+3 x 1s+7 2+z s+4 38+16 l h+5 5+3 4 4+1 8+2 5+c d i+11 2 6 3+16 2+98 2+3 3+6 2 2+3 ' +
  '3+14 2+3 3+w 2+3 3+6 2 2+3 3+e 2+1k 2+3 3+1u 12+f h+2d 3+5 4+h7 3+g 2+p 6+22 7+7 8+h e+i f+h f+c 2+2 g+1f ' +
  '10 5 1w+2g 8+4 3+x 2 6+1x b+u 1e+t 3+4 c+17 5+p 1j+m a+1g 2b 2m+1a i+7 1j+t e+1 b+17 r+z 16+2 b+z 3+a 6+16 ' +
  '3+2 16+3 2+5 2+1 4 6+5b 1t+7p 3+5 3+11 3+5 3+7 2 2 2 2+u 3+1g 2+6 2 4+2 2+6 4+3 3+5 5+c 6+2 2+6 39 e h+c 2u ' +
  '5 3+9 2 4+4 7 2 2 2+3 2+a 3+3 6+4 5 1h+1 22k+6c 7+3 4+1 d+11 2 6 3+1j 8 h+m a+6 2+6 2+6 2+6 2+6 2+6 2+6 2+6 ' +
  '29 d2+1 17+4 6+1 5+2d 7+2 2+2h 2+3 6+16 2+2l i+v 1d+f e9+533 1t+h3g 1w+19 3+7g 4+f b+1 l+1a h+u 3+1x 1e+8 ' +
  '3+2u 3+1u 3+1 2 2+7 m+f 2+2 2+3 2+m u+1f f+1d 1r+5 4 2+1 c+r b+m q+s 8+1a t h+4 2+9 b+4 2+14 o+2 2+7 l+m 4 ' +
  '4+1d 2 4+1 3+4 3 2 p+2 3+a 8+2 d+5 3+5 3+5 a+6 2+6 2+16 2+d 7+36 u+8mb d+m 5+1c 6it+a5 3+2x 13+6 d+4 6 2+9 ' +
  '2+c 2+4 2 2+1 2+1 2+2z y+a2 j+1r 3+1h 15+b 39+4 2+3q 11+p 7+p c+2g 4+5 3+5 3+5 3+2 10+b 2+p 2+i 2+1 2+e 3+d ' +
  'z+3e au+s 4+1c 1c+v e+j 2+7 7+11 b+t 3+z 5+7 1d+4d j+z 5+z 5+13 9+1f d+a 2+e 2+6 2+1 2+a 2+e 2+6 2+1 4+1f ' +
  'd+8m a+l b+7 p+5 2+15 2+8 1y+5 3 2+17 2+1 4 3+m b+m a+u 1u+i 2+1 b+l b+p 1z+1j 7+1 1t g+3 2+2 2+s 17+s 4+s ' +
  '10+7 2+r s+1h b+l b+i e+h 33+20 1k+1e e+1e e+z 13+r a+m 6z+15 7+1 h+2 1o+s b 9+l 17+h 1b+k s+m d+1g 1m+1 3 ' +
  'e+18 x+o r+z u 3 9+y 4 d+1b f+3 m 2 10+h 2+o k+1 1s+6 2 2+3 2+e 2+9 8+1a 13+7 3+1 3+l 2+6 2+1 2+4 4 j d+4 ' +
  'v+9 2 3 2+11 2 q 2 19+1g j+3 l+2 v+1b l+1 2 55+1a 16+3 11+1b l 1o+16 e 20+q 12+6 56+17 39+1r w+7 3 3+7 2+1 ' +
  '2+n g 2 2n+7 3+12 h 2 t b+13 8 m c+19 k j+20 5k+w w+8 2+10 i 1e+t 35+6 2+1 2+11 m q+5 2+1 2+v f 94+i g 2+c ' +
  '2+x 3h 28+pl 6f+5f 219+2o g+tr i+5 q+32y 6+g6 5a2+t 1cz+fs 8+u i+26 i+t j+1b h+3 w+k 6+i c1+18 5w+1r 3l+22 ' +
  '6 1v+c 1t+1 2 t+4qf 9+yd 16+9 6w8+3 2+6 2+1 2+82 g u+2 3 f+3 9+az 1s5+2y 6+c 4+8 8+9 4mf+2c 2+1y 2+1 3 3+1 ' +
  '3+3 2+b 2 2+6 2+1s 2+3 3+7 2+6 2+r 2+3 2+4 2 4+6 2+9f 3+o 2+o 2+u 2+o 2+u 2+o 2+u 2+o 2+u 2+o 2+7 1f9+u 7+5 ' +
  '7a+1p 43+18 b+6 h 8y+t j+17 dh+r 6d+t 3 ds+6 2+3 2+1 2+e 2+5g 1o+1v 8 xh+3 2+q 2+1 2 3 2+9 2+3 2 2 7 5 2 2 ' +
  '2+2 2+1 2 3 2 2 2 2 2+1 2 3+3 2+6 2+3 2+3 2 2+9 2+g 6+2 2+4 2+g 3et+wyn x+37d 7+65 3+4g1 f+5rk g+h9 1wj+f1 ' +
  '15v+3t6 6+38f';

export const NUMBERS =
  '1c+9 3d+1 6 3+2 142+9 3r+9 5j+9 bh+9 3b+9 5+5 31+9 3b+9 3b+9 3+5 33+c 38+9 9+6 2w+9 2x+6 8+i 32+9 2p+9 3b+9 ' +
  '1z+j 7h+9 1z+9 k0+j oi+2 6o+9 7+9 n+9 8d+9 3l+a 4m+9 7+9 53+9 2f+9 3r+9 7+9 t3 4+5 7+9 5j+1e 3+4 k7+1n 27+l ' +
  'hj+t 12i lm q+8 f+2 9k+3 3v+9 v+7 2+e x+9 14+e msh+9 59+9 8x+5 4b+9 13+9 5j+9 n+9 2f+9 bb+9 gev+9 dq+18 ' +
  'd+1k i+1 9i+q 11+3 u 9 3r+4 5n+9 q7+7 q+6 14+8 24+4 n+5 4h+1 3+f 3+19 1t+8 1h+1 v+2 24+4 2x+7 p+7 16+6 97+5 ' +
  '1d+9 7+9 7r+u 4f+9 17+3 35+6 3r+t 3l+9 1p+9 41+9 8+j 70+9 9j+9 3b+9 af+9 2v+9 7+j 25+b bp+i 2m+9 if+9 2f+s ' +
  '6c+9 1z+9 br+9 2v+k to+32 c02+9 1t3+9 2f+9 3r+9 2+6 en+9 7b+m imy+9 153+j d+j 31+o uu+1d 1tt+9 br+9 dz+9 ' +
  '6w+9 jx+8 3l+9 m0+1m 2+2 2+3 25+18 2+e qr+c 25g+9';

export const SPACES =
  '9+4 j 2t r 4bk 1vk+a u+1 6 1c 335';

export const PUNCTUATION =
  'x+e b+6 r+5 r+3 z 6 4 b+1 4 4 jj 9 cz+5 16+1 1g 2 3 3 19+1 l+1 2+1 e 3+1 23+3 2v 18+d 6i+2 1j+e w 7a+1 b ao ' +
  'lg 2j b+1 4p+e 2 12+3 20 23+4 5+1 34+5 4s h1+8 48 h9+1 19+1 27+2 20+1 4e+2 2+2 12+a 8q+1 61+1 3l+6 2+5 4t+6 ' +
  '4c+3 1o+4 1r+1 1t+7 c n1+n 9+j 2+c 2+b v+1 f+1 hm+3 u+1 u6+d 28+1 w+9 b8+l 1s+3 x+1 l8+3 2+1 35 40+1a 2+i ' +
  'cf+2 5+9 3+b h d 2r 2j mwz+1 7i+2 2s b 38+5 al+3 2f+1 15+2 2 1e+1 1c 2q+c h+1 3h+3 3j+1 h+1 6y g2b+1 5t+9 ' +
  'n+y 2+d 2 5 2+1 46+2 2+5 2+3 b+1 4+1 r+2 2 s 2 2+6 bf+2 il 1d bj ko 5k w 7l+8 13 35+6 1v+6 2i+3 x7+6 32+1 ' +
  '2+3 3j+3 1d+1 28+4 4 e 2+2 2h+5 30 f1 6z+m 2y+2 6x+2 2lu+4 dtm+1 3q 1u+4 9 g2j 5wo+4';

export const REMOVED_BY_CLEAN_TEXT =
  '0+8 3+1 2+h 2o+w e 11v+5 n 5d 1e 3cv 1kt+4 r+4 1e+4 2+9 11u9+4xr 16o 6y+2 2 3b4 xyb+3 440+7 h407 v+2n ' +
  '1egx+1ekd 3+1ekd';

export const CHINESE =
  'a9s+533 1t+g73 hkx+e7 1fk1+wyn x+3dr 75+49b 85t+f3';

export const NONSPACING_MARKS =
  'lc+33 7o+4 7e+18 2 2+1 2+1 2 21+a 1d+k h 2u+6 3+5 3+1 2+3 10 v+q 2k+a 1n+8 z+3 2+8 2+2 2+4 18+2 3s+v 1k 2 ' +
  '5+7 5 4+6 b+1 u 1n 5+3 9 l+1 u+1 1m 5+1 5+1 3+2 4 v+1 4 c+1 1m 5+4 2+1 5 l+1 u 1n 3 2+3 9 9 c+1 v 1q d 1f ' +
  '1q+2 6+2 2+3 8+1 c+1 u 1n 3 7 6+1 l+1 u 1s+3 9 l+1 2v 8+2 2 2j 3+6 d+7 2r 3+5 2+1 c+5 23+1 s 2 2 1k+d 2+4 ' +
  '2+1 6+a 2+z a 2v+3 2+5 2+1 3+1 q+1 5+2 h+3 e 3+1 7 g jk+2 qb+2 u+2 u+1 v+1 1t+1 2+6 9 3+a a 1a+2 4c 3b+2 ' +
  '5+1 a 7+2 64+1 3 1n 2+6 2 2 3+7 7+9 3 1d+d 1v+3 1d 2+4 2 6 15+8 d+1 x+3 3+1 2+2 1l 2+1 4 2+2 1n+7 3+1 49+2 ' +
  '2+c 2+6 5 7 4+1 5j+1h 7+3 k1+c 5 4+b 2db+2 3y 2p+v ff+3 30+1 n9x 5+9 x+1 29+1 7l 4 5 q+1 4e s+h 1h+7 q+a ' +
  '1b+2 1d 3+3 3 15 1w+5 3+1 3+1 d 9 1c 1g 2+2 3+1 6+1 2 17+1 9 6n 3 5 fn5 ki+f h+f r2 6b 46+4 1af+2 2+1 6+3 ' +
  '15+2 5 4m+1 10b 1j+e 1l+2 1e+3 3+1 1y+2 11+4 2+7 1r d+1 1h+8 c+2 2r+2 3 2+1 4o 4+7 m+1 1n 4 12+6 4+4 8v+5 2 ' +
  '5+1 2+1 6n+3 7+1 2+1 s+1 2e+7 3 2+1 2z 2 3+5 2 2u+2 3+3 2+4 gjp+4 1o+6 ux+3 f7v+1 43t+2 i+7 3+6 v+3 45+2 ' +
  '1j0+1i 5+1d 9 f n+4 2+e 2sh+6 gzl6+6n';

export const NONSTARTERS =
  'lc+1r 3 3+9 2+v 7o+4 7e+18 2 2+1 2+1 2 21+a 1d+k h 2u+6 3+5 3+1 2+3 10 v+q 4h+8 z+3 2+8 2+2 2+4 18+2 3d+d ' +
  '2+s 1p h 4+3 2w h 33 h 33 h 33 h 3k 3k 8+1 2u h 3k 3h 32+2 e+3 31+1 f+3 25+1 s 2 2 1k+1 2 6+3 3 2+2 2+1 1r ' +
  '35 2+1 2b k0+2 qd w 4e b 5o 40+2 64+1 20 l+7 3 1d+d 3b g 13+8 1j+1 1n c+1 1w 49+2 2+c 2+6 5 7 4+1 5j+1h 6+4 ' +
  'k1+c 5 4+b 2db+2 3y 2p+v ff+5 2y+1 n9x 5+9 x+1 29+1 7p 5a s+h 1m+2 12 2o d 6o 2+2 3+1 6+1 2 1h 6v fn5 le+f ' +
  'r2 6b 46+4 1ar 2 15+2 5 4m+1 128 1l 1m+1 1y+2 1d+1 1r 25 a 2z+1 4z+1 2a h p+6 4+4 5q 4 3g+1 70+1 3j 3b+1 38 ' +
  '104 fjl+4 1o+6 g2w 43r+4 4+5 9+7 3+6 v+3 45+2 2po+6 2+g 3+6 2+1 2+4 1pi+6 32+6';

export const COMBINING_MARKS =
  'lc+33 7o+6 7c+18 2 2+1 2+1 2 21+a 1d+k h 2u+6 3+5 3+1 2+3 10 v+q 2k+a 1n+8 z+3 2+8 2+2 2+4 18+2 3d+d 2+w ' +
  '1j+2 2+h 2+6 b+1 u+2 1l 2+6 3+1 3+2 a b+1 u+2 1l 2+4 5+1 3+2 4 v+1 4 c+2 1l 2+7 2+2 2+2 l+1 u+2 1l 2+6 3+1 ' +
  '3+2 9+1 b+1 v 1o+4 4+2 2+3 a 15+3 1n+6 2+2 2+3 8+1 c+1 u+2 1l 2+6 2+2 2+3 8+1 c+1 u+2 1n+6 2+2 2+3 a b+1 ' +
  'v+1 1z 5+5 2 2+7 j+1 1q 3+6 d+7 2r 3+5 2+1 c+5 23+1 s 2 2 5+1 1e+j 2+1 6+a 2+z a 2t+j o+3 5+2 2+2 3+6 4+3 ' +
  'e+b 2 b+3 jk+2 qb+2 u+2 u+1 v+1 1t+v a 1a+2 3c+1 z 3b+b 5+b 64+4 1m+9 2+s 3 1d+e 1u+4 1c+g 13+8 d+2 v+c ' +
  '1l+d 1d+j 49+2 2+k 5 5+2 4+1 5j+1h 6+4 k1+w 2db+2 3y 2p+v ff+5 2y+1 n9x+3 2+9 x+1 29+1 7l 4 5 o+4 2h+1 1f+h ' +
  'r+h 1h+7 q+c 19+3 1c+d 11 1w+d d 9+1 1a+2 1f 2+2 3+1 6+1 2 16+4 6+1 6l+7 2+1 fn5 ki+f h+f r2 6b 46+4 1af+2 ' +
  '2+1 6+3 15+2 5 4m+1 10a+2 1i+e 1l+3 1a+a 1y+2 11+d 1r d+2 1d+d a+2 2o+b 7 4h+b m+3 1l 2+6 3+1 3+2 a b+1 3+6 ' +
  '4+4 5d+h 2y+j 6k+6 3+8 s+1 2b+g 2z+c 2u+e zo+7 2+7 2b+l 2+d fga+4 1o+6 t7+19 h+3 f7v+1 43r+4 4+5 9+7 3+6 ' +
  'v+3 45+2 1j0+1i 5+1d 9 f n+4 2+e 11t+6 2+g 3+6 2+1 2+4 1pi+6 32+6 gzhy+6n';

export const COMPATIBLY_DECOMPOSED =
  '4g 8 2 5 3+3 3+2 2+2 2+5 2+8 2+5 3+4 3+5 2+8 2+5 3+4 2+g 3+j 3+8 2+5 2+7 3+6 3+5 3+h 3+n x+1 e+1 k+o 2+5 ' +
  '3+f 3+z 3+1 7+d 3h+8 w+5 3+4 2k+1 2+1 1c 6 4 6+6 2 2+2 q+6 q+4 2+6 q+2 2+1 4 7+1 2 4 5+2 b w n+1 2 4 5+2 ' +
  'o+1 22+1 e+3 3+1 3+5 3+5 3+b 3+1 3y 4b+4 27+3 20 2 h gm 8 3 10+7 30+1 g+1 2 2c 3 z+2 3 6i 3+1 g+1 1j 1i+2 ' +
  '3g 3c 7+1 2+1 3j+2 3y 2+2 2d 3k 15+1 1b 1j a 5 5 5 d a 2+4 8 i a 5 5 5 d 31 5y 1ze 2 2 2 2 4 15 2 3+1 2 ' +
  'dl+2 2+a 2+h 2+r e z+10 1t+4b 5+2h 7+l 3+5 3+11 3+5 3+7 2 2 2 2+u 3+1g 2+e 2+d 3+5 2+i 3+2 2+8 2+a 7 6 d+2 ' +
  '9 4+1 2+1 5 2 9+2 e 8 h+1 3+q 2+c c 2g+3 2+2 2+a 2+1 3+4 3+2 2 2 2 2+3 2+2 2+6 2+5 5+4 7+1b a h+1 j v+2 1h ' +
  '5 3 o 2 6+1 2+1 h 3 3 2 n 2 b+4 3+1 3+1 7+1 3+1 3+1 z+3 1d+3 7+3 1o+1 8m+3u 10i 2w+2 2u bk+1 6q 8g 2c d+5x ' +
  '17 1i 2+2 i 2 2 2 2 2 2 2 2 2 2 2 3 2 2 7+1 2+1 2+1 2+1 2+1 n 7+1 2+1 d 2 2 2 2 2 2 2 2 2 2 2 3 2 2 7+1 2+1 ' +
  '2+1 2+1 2+1 n 3+3 4+1 1e+2l 4+d 2p+u 2+13 9+1a 2+3i 2+73 mn1+1 5v 3s+1 o3+3 4h+8mb 6l9+7h 3 2 3+9 2 2 3+1 ' +
  '4+1v 3+2x 13+6 d+4 6 2+n 2+4 2 2+1 2+1 2+2z y+a2 j+1r 3+1h 15+c k+9 n+k 3+b 2+i 2+3 5+2 2 2+3q 5+59 4+5 3+5 ' +
  '3+5 3+2 4+6 2+6 3ak 2 f 3n+1 f0+1 a7+1 2 70+1 112b+6 2f+5 g0+2c 2+1y 2+1 3 3+1 3+3 2+b 2 2+6 2+1s 2+3 3+7 ' +
  '2+6 2+r 2+3 2+4 2 4+6 2+9f 3+83 3+1d 4ch+3 2+q 2+1 2 3 2+9 2+3 2 2 7 5 2 2 2+2 2+1 2 3 2 2 2 2 2+1 2 3+3 ' +
  '2+6 2+3 2+3 2 2+9 2+g 6+2 2+4 2+g g5+a 6+u 2+v r+1 11 34+2 e+17 5+8 8+1 1fov+f1';

export const GRAPHEME_CONTROLS =
  '0+v 2o+w e 12n 3jm 1kt 3+1 p+6 1e+f 17yo 6p+b ab9+f qxt+3 440+7 h406+v 2p+3j 6p+2rz';

export const GRAPHEME_EXTENDING =
  'lc+33 7o+6 7c+18 2 2+1 2+1 2 21+a 1d+k h 2u+6 3+5 3+1 2+3 10 v+q 2k+a 1n+8 a p+3 2+8 2+2 2+4 18+2 1o+8 17+n ' +
  '2+v 1k 2 5+7 5 4+6 b+1 u 1n 2 3+3 9 a b+1 r 3+1 1m 5+1 5+1 3+2 4 v+1 4 c+1 1m 5+4 2+1 5 l+1 n+5 2 1n 2+1 ' +
  '2+3 9 8+2 b+1 v 1o 2 d a 15 4 1k 2+2 6+2 2+3 8+1 c+1 u 1n 3+1 2 4+2 2+3 8+1 c+1 t+1 1m+1 2 3+3 9 a b+1 u 21 ' +
  '5 3+2 2 9 2a 3+6 d+7 2r 3+8 c+6 22+1 s 2 2 1k+d 2+4 2+1 6+a 2+z a 2v+3 2+5 2+1 3+1 q+1 5+2 h+3 e 3+1 7 g ' +
  'jk+2 qb+3 t+2 u+1 v+1 1t+1 2+6 9 3+a a 1a+2 2 3a+1 z 3b+2 5+1 a 7+2 64+1 3 1n 2+6 2 2 3+7 7+9 3 1d+19 3+b ' +
  'l+3 1d+9 5+2 13+8 d+1 x+3 3+5 1l 2+1 4 2+4 1l+7 3+1 49+2 2+c 2+6 5 7 4+1 5j+1r el 5g+w 2db+2 3y 2p+v ff+5 ' +
  '2y+1 n9x+3 2+9 x+1 29+1 7l 4 5 q+1 6 48+1 r+h e 13+7 q+a 2 19+2 1d 3+3 3+1 3 11 1w+5 3+1 3+1 d 9 1c 1g 2+2 ' +
  '3+1 6+1 2 17+1 9 6n 3 5 fn5 ki+f h+f a7+1 gu 6b 46+4 1af+2 2+1 6+3 15+2 5 4m+1 fy+3 1u+4 8u+1 26+5 1z+a ' +
  '1e+3 3g 1j+e 16 3+1 b+2 1e+3 3+1 8 1q+2 11+4 2+7 1r d+1 1h+8 2 9+3 3 2o+2 3+3 7 3 4e 4+7 m+1 1m+1 2 2 d a ' +
  'f+6 4+4 1w 3+5 2 3 2+2 5+2 2 f+1 2e+7 3+2 2 o 2a 3+5 2 3 2+1 2+1 6k 3+3 7+1 2+1 s+1 2e+7 3 2+1 2z 2 3+7 2u ' +
  '2 3+3 2+4 78+8 2+1 6u b+3 5 41+3 3+1 5 x+9 15+5 3+3 9 a+5 3+2 1b+c 2+1 5j 2+2 2 5m+6 2+5 2 2b+l 3+6 2+1 2+1 ' +
  '3f+5 4 2+1 2+6 2 21+1 4 2 9o+1 c+1 1h+4 6+2 o 44m 7+e 8uh+b 4+2 1xd+4 1o+6 t5 1s+3 2a c+1 f58+1 3mq+19 3+m ' +
  'f3+4 4+5 9+7 3+6 v+3 45+2 1j0+1i 5+1d 9 f n+4 2+e 11t+6 2+g 3+6 2+1 2+4 2t 4h+6 ag 1q+3 e5+3 73+1 6s 3 8+1 ' +
  '6 d7+6 32+6 241+4 gx7l+2n 3l+6n';

export const SPACING_MARKS =
  '1s3 1k 3+2 9+3 2+1 1f+1 1o+1 7+1 3+1 1j 1n+2 1v 1n+2 9 2+1 1i+1 1p 7+1 3+1 37 2+1 4+2 2+2 1h+2 1q+3 1q+1 1n ' +
  '3 2+1 1b f+1 1o+1 6+2 2+2 1i+1 25+1 7+6 k+1 1s 3k 3v+1 1s 4y a+1 q+1 19 1f6 8+7 2+1 9n+3 3+2 5+1 2+5 69+1 ' +
  '1n 2 m+5 42 1m+3 1t v 5+1 1s 3+2 2 1i+7 9+1 4s m rho+1 3 2h+1 1f+f 3z 1d 1d+1 5+1 3+1 34+1 3+1 p 4e 3+1 6 ' +
  '6m+1 2+1 2+1 2 jro 2 3k 1a+2 5+1 38 p+1 1o 1d+2 a f 2m+2 4+1 4t+2 w+1 1o 2+3 3+1 3+1 m+1 2e+1 g 2+1 2w+2 ' +
  '9+1 4 30+1 7 2+1 2 3 6n+1 7+3 3 36+2 9+1 2 32 2+1 33 8 7a+2 a 6x+4 2+1 8 2 3z+2 9+3 5 2d u+1 1r 5m 4 2 5k f ' +
  '2z 8 3 5y+4 5+1 2 9r+1 d 1d+1 9+1 d0r+2 2sl+1i';

export const PREPENDED =
  '16o+5 60 1e ap+1 29 vg 1f8v g 6t+1 em 12m 2 8z+5 jh cc';

export const PICTOGRAPHS =
  '4p 5 68e d 61 n 2j+5 g+1 a8+1 d 4n q+a 5+2 5k 6g+1 b a 1n+3 2+4 a 3 3+1 3 5 3 2+1 3 4 4+1 9+2 6 2 6+b c+1 3 ' +
  '2+1 2 j 3+1 j+5 2 2+1 4+1 6 3+1 5+1 c+1 6+1 3 6+1 2 2+1 l+1 6+5 2+3 3 5 3 3+5 2 3 2 2 7 4 7 b+1 g 3 5 2 5+2 ' +
  '2 c+1 1d+2 a f f ad+1 cw+2 k+1 1g 5 yj d gq 2 2fzf 14+3 2t+b g+1 g f+1 12+9 35+1 d+1 f 3+9 k+1j s+e b l 3+8 ' +
  '2+3 a+m 7+57 3+33 3+1 2+2 3+2a 3+2 2+3 6+71 2+1q c+5 2+n 8+1 3+7 d 3+3 3 5+1 e+1 3 9+1 a 6+2 d+2 9+2 3 2 5 ' +
  '7 4 7+2d 1d+1x 6+7 3+g 4 2+5 3+c 63+11 d+3 1l+7 b+5 15+7 v+1 d+3 3+d a+12 d+1a 2+9 2+54 2h+7 f+41 75+sd';

export const CONJUNCT_CONSONANTS =
  '1sl+10 v+7 p+7 m+j 2+6 2 4+3 z+1 2 h+1 4k+j 2+6 2+1 2+4 1s s+j 2+6 2+1 2+4 z+1 2 i 4k+j 2+f v+2 57+11 jq+16 ' +
  'l h+5 5+3 4 4+1 8+2 5+c d 1de+1f h9+1g 53+1 7+w i+7 1j+t e+1 c+2 s0c+2 4+z 1a+4 3+8 b+4 2q+f 2+2 7 4+1 2p+a ' +
  '5y+q ili g+3 2+2 2+s 1ce+z u 3 ft+9 2 3 2+11 11n+6 3 3+7 2+1 2+n 5t b+13 u c+13 w1+c 2+x';

export const CONJUNCT_LINKERS =
  '1u5 3k 74 3k 74 74 ks 1i1 i6 6c 2v s2d 8m itl 1dg il 12m 7d 2a x5';

export const NOT_IN_CONJUNCTS =
  '6bw';

export const HANGUL_L =
  '3cw+2n u0x+s';

export const HANGUL_V =
  '3fk+1z 1349+m tjx 4+3';

export const HANGUL_T =
  '3hk+2f 132k+1c';

/** Characters that have a decomposition today and had none in the library's Unicode. */
export const NOT_DECOMPOSED =
  '1fpl r 2ov 2 9 3 1g 2+1 12o e7d+7 2f4+2';
