//! Common emoji by their names, English and Chinese.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emoji {
    /// As it is sent.
    pub sign: &'static str,
    /// What is typed between two colons; one word.
    pub name: &'static str,
    /// What else it is found by: words with a space between two.
    words: &'static str,
}

/// All of them, the most common ones of each kind first.
pub fn all() -> impl Iterator<Item = Emoji> {
    TABLE.lines().filter_map(|line| {
        let mut words = line.splitn(3, ' ');
        let (sign, name) = (words.next()?, words.next()?);
        Some(Emoji { sign, name, words: words.next().unwrap_or_default() })
    })
}

/// Those that all words of a query fit, by the beginning of one of their own words, or in Chinese by any part; first those
/// whose name begins like it.
///
/// ```
/// use parlor_client::emoji::find;
///
/// assert_eq!(find("thumbs").next().map(|emoji| emoji.sign), Some("👍"));
/// assert!(find("庆祝").any(|emoji| emoji.sign == "🎉"));
/// ```
pub fn find(query: &str) -> impl Iterator<Item = Emoji> {
    let query = query.trim().trim_matches(':').to_lowercase();
    let first = query.clone();
    let start = first.clone();
    let fits = move |emoji: &Emoji| query.split_whitespace().all(|word| emoji.fits(word));
    let begins = move |emoji: &Emoji| emoji.name.starts_with(&start);
    let (mut named, others): (Vec<Emoji>, Vec<Emoji>) = all().filter(fits).partition(begins);
    if !first.is_empty() {
        named.sort_by_key(|emoji| emoji.name.len());
    }
    named.into_iter().chain(others)
}

/// The one of exactly this name.
pub fn named(name: &str) -> Option<Emoji> {
    all().find(|emoji| emoji.name == name)
}

impl Emoji {
    fn fits(&self, word: &str) -> bool {
        let mut own = self.words.split(' ').chain(self.name.split('_')).chain([self.name]);
        own.any(|one| one.starts_with(word) || (!word.is_ascii() && one.contains(word)))
    }
}

/// Sign, name, other words. Each has an outline in the font that the program brings (`fonts/NotoEmoji-Regular.ttf`).
const TABLE: &str = "\
🙂 smile happy 微笑
😀 grinning happy 开心 笑
😃 smiley happy joy 开心 笑
😄 grin laugh happy 大笑
😁 beaming teeth 嘻嘻
😆 laughing haha 哈哈 大笑
😂 joy tears laugh lol 笑哭
🤣 rofl laugh floor 笑翻
😅 sweat_smile relief 尴尬 汗
😉 wink 眨眼
😊 blush happy 害羞 微笑
😇 innocent angel 天使
😍 heart_eyes love 喜欢 爱慕
🥰 loved hearts 喜爱
😘 kiss 飞吻 亲
😋 yum tasty 好吃
😛 tongue 吐舌
😜 crazy wink tongue 调皮
🤪 zany goofy 疯
🤓 nerd glasses 书呆子
😎 cool sunglasses 酷
🤩 starstruck wow 崇拜
🥳 party celebrate birthday 派对 庆祝
😏 smirk 得意
😒 unamused 无语
🙄 eyeroll 白眼
😞 disappointed sad 失望
😔 pensive sad 难过
😟 worried 担心
😕 confused 困惑
🙁 frown sad 不开心
😣 persevere 坚持
😫 tired 累
🥺 pleading please 求求 可怜
😢 cry sad tear 哭 难过
😭 sob cry 大哭
😤 triumph huff 哼
😠 angry 生气
😡 rage mad 愤怒
🤬 swearing curse 骂人
😳 flushed 脸红
🥵 hot heat 热
🥶 cold freezing 冷
😱 scream shock 惊恐
😨 fearful afraid 害怕
😰 anxious 焦虑
😮 wow surprised open_mouth 惊讶
😯 hushed surprised 惊
😲 astonished 震惊
🥱 yawn bored 打哈欠
😴 sleeping tired 睡觉
🤤 drool 流口水
😵 dizzy 晕
🤯 mindblown exploding 震撼
🤔 thinking hmm 思考 想
🤨 doubt eyebrow 怀疑
😐 neutral 面无表情
😑 expressionless 无语
😶 speechless silent 沉默
🤐 zipper secret 闭嘴
🤫 shush quiet 嘘
🤭 giggle oops 捂嘴笑
🤗 hug 拥抱
🤝 handshake deal 握手
😷 mask sick 口罩
🤒 ill fever 生病
🤕 hurt bandage 受伤
🤢 nauseated sick 恶心
🤮 vomit 吐
🤧 sneeze cold 喷嚏
🤠 cowboy 牛仔
😈 devil evil 恶魔
👿 imp evil 小恶魔
👻 ghost boo 鬼
💀 skull dead 骷髅
👽 alien 外星人
🤖 robot bot 机器人
💩 poop 便便
🤡 clown 小丑
👍 thumbsup yes good like +1 赞 好
👎 thumbsdown no bad -1 踩 不好
👌 ok fine 好的
✌️ victory peace 胜利
🤞 fingers_crossed luck 祝好运
🤟 love_you 爱你
🤘 rock metal 摇滚
👈 left point 左
👉 right point 右
👆 up point 上
👇 down point 下
☝️ one point 一
✋ raised_hand stop 举手
👋 wave hello bye 挥手 你好 再见
👏 clap bravo 鼓掌
🙌 hooray praise 万岁
🙏 pray please thanks 谢谢 拜托
💪 strong muscle 加油 强壮
✍️ writing 写
👀 eyes look 看
🧠 brain smart 大脑
👂 ear listen 听
👤 person 人
👥 people 人们
🙋 raising_hand question 举手 提问
🤷 shrug dunno 耸肩 不知道
🤦 facepalm 捂脸
🙅 no_good 不行
🙆 ok_person 可以
🏃 run 跑
💃 dance 跳舞
🧑 adult 成人
👶 baby 婴儿
❤️ heart love red 爱心 爱
🧡 orange_heart 橙心
💛 yellow_heart 黄心
💚 green_heart 绿心
💙 blue_heart 蓝心
💜 purple_heart 紫心
🖤 black_heart 黑心
💔 broken_heart 心碎
💕 two_hearts 两颗心
💖 sparkling_heart 闪亮的心
💯 hundred perfect 满分
💥 boom explosion 爆炸
💤 zzz sleep 睡
💬 speech talk 说话
💭 thought 想法
🔥 fire hot lit 火
✨ sparkles 闪亮
⭐ star 星星
🌟 glowing_star 星
🎉 tada party celebrate congratulations 庆祝 祝贺
🎊 confetti 彩带
🎂 cake birthday 蛋糕 生日
🎁 gift present 礼物
🎈 balloon 气球
🏆 trophy win 奖杯
🥇 gold first medal 金牌 第一
🥈 silver second 银牌
🥉 bronze third 铜牌
⚽ soccer football ball 足球
🏀 basketball 篮球
🎾 tennis 网球
🏓 pingpong 乒乓球
🎮 game controller 游戏
🎲 dice game 骰子
🧩 puzzle 拼图
♟️ chess 象棋
🎯 target bullseye 目标
🎵 music note 音乐
🎶 notes music 音乐
🎸 guitar 吉他
🎹 piano 钢琴
🎨 art paint 画
🎬 movie film 电影
📷 camera photo 相机
📺 tv 电视
🐶 dog 狗
🐱 cat 猫
🐭 mouse 老鼠
🐰 rabbit 兔子
🦊 fox 狐狸
🐻 bear 熊
🐼 panda 熊猫
🐯 tiger 老虎
🦁 lion 狮子
🐮 cow 牛
🐷 pig 猪
🐸 frog 青蛙
🐵 monkey 猴子
🙈 see_no_evil monkey 不看
🐔 chicken 鸡
🐧 penguin linux 企鹅
🐦 bird 鸟
🦆 duck 鸭
🦉 owl 猫头鹰
🐴 horse 马
🦄 unicorn 独角兽
🐝 bee 蜜蜂
🐛 bug 虫子
🦋 butterfly 蝴蝶
🐢 turtle 乌龟
🐍 snake python 蛇
🐙 octopus 章鱼
🦀 crab rust 螃蟹
🐟 fish 鱼
🐬 dolphin 海豚
🐳 whale 鲸鱼
🐘 elephant 大象
🐉 dragon 龙
🌸 blossom cherry 樱花
🌹 rose 玫瑰
🌻 sunflower 向日葵
🌲 tree 树
🌵 cactus 仙人掌
🍀 clover luck 四叶草 幸运
🍁 maple leaf 枫叶
🌍 earth world 地球
🌙 moon 月亮
☀️ sun sunny 太阳
⛅ cloudy sun 多云
☁️ cloud 云
🌧️ rain 雨
⛈️ storm 暴风雨
⚡ zap lightning 闪电
❄️ snow cold 雪
⛄ snowman 雪人
🌈 rainbow 彩虹
🌊 ocean sea 海浪
🍎 apple 苹果
🍌 banana 香蕉
🍇 grapes 葡萄
🍉 watermelon 西瓜
🍓 strawberry 草莓
🍑 peach 桃
🍋 lemon 柠檬
🥑 avocado 牛油果
🍅 tomato 番茄
🌶️ chili spicy 辣椒
🍞 bread 面包
🧀 cheese 奶酪
🍕 pizza 披萨
🍔 burger 汉堡
🍟 fries 薯条
🌮 taco 塔可
🍜 noodles ramen 面条
🍚 rice 米饭
🍣 sushi 寿司
🥟 dumpling 饺子
🍦 icecream 冰淇淋
🍩 donut 甜甜圈
🍪 cookie 饼干
🍫 chocolate 巧克力
🍿 popcorn 爆米花
☕ coffee tea 咖啡
🍵 tea green 茶
🍺 beer 啤酒
🍻 cheers beers 干杯
🍷 wine 红酒
🥂 toast champagne 碰杯
🚗 car 汽车
🚌 bus 公交车
🚲 bike bicycle 自行车
🚂 train 火车
✈️ plane flight 飞机
🚀 rocket launch ship 火箭
🚢 ship boat 船
🏠 house home 家 房子
🏫 school 学校
🏥 hospital 医院
🏖️ beach 海滩
⛰️ mountain 山
⌚ watch time 手表
⏰ alarm clock 闹钟
⏳ hourglass wait 沙漏 等待
📱 phone mobile 手机
💻 laptop computer 电脑
⌨️ keyboard 键盘
🖥️ desktop screen 显示器
🖨️ printer 打印机
💾 floppy save 保存
🔋 battery 电池
🔌 plug power 插头
💡 idea bulb light 灯泡 主意
🔦 torch flashlight 手电
📖 book read 书
📚 books library 书
📝 memo note 笔记
✏️ pencil 铅笔
📌 pin 图钉
📎 paperclip 回形针
📁 folder 文件夹
📅 calendar date 日历
📈 chart_up growth 上涨
📉 chart_down 下跌
📊 chart 图表
📦 package box 包裹
📧 email mail 邮件
🔑 key 钥匙
🔒 lock closed 锁
🔓 unlock open 开锁
🔨 hammer 锤子
🔧 wrench fix 扳手
⚙️ gear settings 齿轮 设置
🔗 link 链接
🧪 test tube 试管
🔬 microscope 显微镜
💊 pill medicine 药
💰 money 钱
💎 gem diamond 钻石
🔔 bell 铃
🔕 mute bell 静音
📣 megaphone announce 喇叭
🔍 search find 搜索
✅ done check yes 完成 对
☑️ checked box 勾选
✔️ tick check 对
❌ cross no wrong 错
❓ question 问号
❗ exclamation 感叹号
⚠️ warning 警告
🚫 forbidden no 禁止
⛔ stop no_entry 停
♻️ recycle 回收
➕ plus 加
➖ minus 减
➡️ arrow_right 右箭头
⬅️ arrow_left 左箭头
⬆️ arrow_up 上箭头
⬇️ arrow_down 下箭头
🔄 refresh again 刷新
🆗 ok_button 好
🆕 new 新
🆘 sos help 求救
🔴 red_circle 红
🟢 green_circle 绿
🔵 blue_circle 蓝
⚫ black_circle 黑
⚪ white_circle 白
🏁 finish flag 终点
🚩 flag 旗";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_a_chinese_one() {
        let emoji: Vec<Emoji> = all().collect();
        assert!((200..=400).contains(&emoji.len()), "{}", emoji.len());
        let (mut names, mut signs) = (HashSet::new(), HashSet::new());
        for Emoji { sign, name, words } in emoji {
            assert!(names.insert(name) && signs.insert(sign), "{sign} {name} is there twice");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            assert!(!sign.is_ascii() && sign.len() <= crate::limits::EMOJI, "{sign}");
            assert!(
                words.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
                "{name} has no Chinese name"
            );
        }
    }

    #[test]
    fn they_are_found_by_their_names() {
        let found = |query| find(query).map(|emoji| emoji.name).collect::<Vec<_>>();
        assert_eq!(found("thumbs"), ["thumbsup", "thumbsdown"]);
        assert_eq!(found(":tada:"), ["tada"]);
        assert_eq!(found("HEART")[0], "heart");
        assert!(found("笑").len() > 5 && found("green heart").contains(&"green_heart"));
        assert!(found("nothing like it").is_empty() && found("").len() == all().count());
        assert_eq!(named("heart").map(|emoji| emoji.sign), Some("❤️"));
        assert_eq!(named("hea"), None);
    }
}
