// Emoji that people use, with what they are called: a line for each, English before the stroke and
// German after it. Loaded only when somebody looks for one.

const FACES = `
😀 grin happy smile|grinsen froh lächeln
😃 happy big smile|froh lachen
😄 laugh happy eyes|lachen froh augen
😁 beaming grin teeth|strahlen grinsen zähne
😆 laughing squint|lachen zukneifen
😅 relief sweat laugh|erleichtert schwitzen lachen
🤣 rolling floor laugh rofl|kugeln boden lachen
😂 tears joy laugh|freudentränen lachen
🙂 slight smile|leicht lächeln
🙃 upside down silly|kopfüber verkehrt albern
🫠 melting hot|schmelzen heiß
😉 wink|zwinkern
😊 blush warm smile|erröten warm lächeln
😇 angel innocent halo|engel unschuldig
🥰 love hearts adore|liebe herzen verliebt
😍 heart eyes love|herzaugen verliebt
🤩 star struck wow|sterne begeistert
😘 kiss blow|kuss kusshand
😗 kiss whistle|kuss pfeifen
😚 kiss closed eyes|kuss augen zu
😙 kiss smile|kuss lächeln
🥲 smile tear touched|lächeln träne gerührt
😋 yummy delicious tongue|lecker zunge
😛 tongue|zunge
😜 wink tongue joke|zwinkern zunge scherz
🤪 zany crazy goofy|verrückt albern
😝 tongue squint|zunge zukneifen
🤑 money rich|geld reich
🤗 hug|umarmen
🤭 oops giggle hand|ups kichern hand
🫢 gasp hand|erschrocken hand
🤫 quiet hush secret|leise psst geheimnis
🤔 think hmm|denken hmm überlegen
🫡 salute yes|salutieren jawohl
🤐 zipper mouth silent|schweigen reißverschluss
🤨 raised eyebrow doubt|augenbraue zweifel
😐 neutral|neutral
😑 expressionless|ausdruckslos
😶 no mouth speechless|sprachlos
😏 smirk|süffisant schmunzeln
😒 unamused annoyed|genervt unzufrieden
🙄 roll eyes|augen rollen
😬 grimace awkward|grimasse peinlich
🤥 lie nose|lügen nase
😌 relieved calm|erleichtert ruhig
😔 pensive sad|nachdenklich traurig
😪 sleepy|schläfrig
🤤 drool|sabbern
😴 sleep zzz|schlafen zzz
😷 mask ill|maske krank
🤒 fever ill thermometer|fieber krank
🤕 hurt bandage|verletzt verband
🤢 nausea green|übel grün
🤮 vomit|erbrechen
🤧 sneeze cold|niesen erkältet
🥵 hot sweat|heiß schwitzen
🥶 cold freeze|kalt frieren
🥴 woozy drunk|benommen betrunken
😵 dizzy|schwindlig
🤯 mind blown explode|umwerfend explodieren
🤠 cowboy|cowboy
🥳 party celebrate birthday|party feiern geburtstag
🥸 disguise|verkleidet
😎 cool sunglasses|cool sonnenbrille
🤓 nerd glasses|streber brille
🧐 monocle inspect|monokel prüfen
😕 confused|verwirrt
🫤 unsure meh|unsicher naja
😟 worried|besorgt
🙁 slight frown|leicht traurig
😮 surprised oh wow|überrascht oh
😯 hushed|verblüfft
😲 astonished|erstaunt
😳 flushed embarrassed|verlegen rot
🥺 pleading please|bitte flehen
🥹 holding tears moved|tränen zurückhalten gerührt
😦 frown open|bestürzt
😨 fear|angst
😰 anxious sweat|ängstlich schwitzen
😥 sad relieved|traurig erleichtert
😢 cry sad tear|weinen traurig träne
😭 sob cry loud|heulen weinen laut
😱 scream fear|schreien angst
😖 confounded|durcheinander
😣 persevere struggle|durchhalten
😞 disappointed|enttäuscht
😓 downcast sweat|bedrückt schweiß
😩 weary|erschöpft
😫 tired|müde
🥱 yawn bored|gähnen langweilig
😤 huff triumph|schnauben
😡 angry red|wütend rot
😠 angry|verärgert
🤬 swear curse|fluchen
😈 devil smile|teufel
👿 devil angry|teufel wütend
💀 skull dead|totenkopf tot
💩 poop|haufen
🤡 clown|clown
👻 ghost|geist gespenst
👽 alien|außerirdischer
🤖 robot|roboter
😺 cat smile|katze lächeln
😹 cat joy|katze lachen
😻 cat love|katze verliebt
🙀 cat scared|katze erschrocken
🙈 see no evil monkey|nichts sehen affe
🙉 hear no evil monkey|nichts hören affe
🙊 speak no evil monkey|nichts sagen affe
💋 kiss lips|kuss lippen
❤️ red heart love|rotes herz liebe
🩷 pink heart|rosa herz
🧡 orange heart|oranges herz
💛 yellow heart|gelbes herz
💚 green heart|grünes herz
💙 blue heart|blaues herz
🩵 light blue heart|hellblaues herz
💜 purple heart|lila herz
🤎 brown heart|braunes herz
🖤 black heart|schwarzes herz
🤍 white heart|weißes herz
💔 broken heart|gebrochenes herz
❤️‍🔥 heart fire|herz feuer
❤️‍🩹 mending heart|heilendes herz
💕 two hearts|zwei herzen
💖 sparkling heart|funkelndes herz
💘 heart arrow|herz pfeil
💝 heart gift|herz geschenk
💯 hundred perfect|hundert perfekt
💢 anger|ärger
💥 boom bang|knall
💫 dizzy star|schwindel stern
💦 sweat drops|tropfen schweiß
💨 dash fast|schnell wind
💤 sleep zzz|schlaf zzz
💬 speech bubble|sprechblase
💭 thought bubble|gedankenblase
`;

const PEOPLE = `
👋 wave hello bye|winken hallo tschüss
🤚 raised back hand|handrücken
✋ stop hand|stopp hand
🖖 vulcan|vulkanier
👌 ok perfect|ok perfekt
🤌 pinched italian|italienisch
🤏 small pinch|wenig klein
✌️ victory peace|sieg frieden
🤞 fingers crossed luck|daumen drücken glück
🤟 love you|ich liebe dich
🤘 rock horns|rock hörner
🤙 call me|ruf an
👈 left point|links zeigen
👉 right point|rechts zeigen
👆 up point|hoch zeigen
👇 down point|runter zeigen
☝️ index one|zeigefinger eins
👍 thumbs up yes good|daumen hoch ja gut
👎 thumbs down no bad|daumen runter nein schlecht
✊ fist|faust
👊 punch fist|faust stoß
👏 clap bravo|klatschen bravo
🙌 hooray hands|hurra hände
🫶 heart hands|herz hände
👐 open hands|offene hände
🤲 palms|handflächen
🤝 handshake deal|handschlag abgemacht
🙏 please thanks pray|bitte danke beten
✍️ write|schreiben
💅 nails|nägel
🤳 selfie|selfie
💪 strong muscle|stark muskel
🧠 brain|gehirn
👀 eyes look|augen schauen
👁️ eye|auge
👂 ear|ohr
👃 nose|nase
👅 tongue|zunge
👄 mouth|mund
👶 baby|baby
🧒 child|kind
👦 boy|junge
👧 girl|mädchen
🧑 person|person
👨 man|mann
👩 woman|frau
🧓 older person|ältere person
👴 old man|opa alter mann
👵 old woman|oma alte frau
🙋 raise hand|hand heben
🤷 shrug|schulterzucken
🤦 facepalm|hand stirn
🙅 no gesture|nein geste
🙆 ok gesture|ok geste
💁 information tip|auskunft
🙇 bow|verbeugen
🧑‍💻 developer computer|entwickler computer
🧑‍🍳 cook|koch
🧑‍🏫 teacher|lehrer
🧑‍⚕️ doctor|arzt
🧑‍🎓 student graduate|student abschluss
🧑‍🚒 firefighter|feuerwehr
👷 builder|bau
👮 police|polizei
🕵️ detective|detektiv
🎅 santa christmas|weihnachtsmann
🧙 mage wizard|magier zauberer
🧚 fairy|fee
🧛 vampire|vampir
🧜 mermaid|meerjungfrau
🧟 zombie|zombie
🦸 hero|held
💃 dance woman|tanzen frau
🕺 dance man|tanzen mann
🧘 yoga calm|yoga ruhe
🏃 run|laufen rennen
🚶 walk|gehen
🛀 bath|baden
🛌 bed|bett
👫 couple|paar
👨‍👩‍👧 family|familie
👨‍👩‍👧‍👦 family children|familie kinder
🗣️ speak|sprechen
👣 footprints|fußspuren
`;

const NATURE = `
🐶 dog|hund
🐱 cat|katze
🐭 mouse|maus
🐹 hamster|hamster
🐰 rabbit|hase kaninchen
🦊 fox|fuchs
🐻 bear|bär
🐼 panda|panda
🐨 koala|koala
🐯 tiger|tiger
🦁 lion|löwe
🐮 cow|kuh
🐷 pig|schwein
🐸 frog|frosch
🐵 monkey|affe
🐔 chicken|huhn
🐧 penguin|pinguin
🐦 bird|vogel
🐤 chick|küken
🦆 duck|ente
🦅 eagle|adler
🦉 owl|eule
🦇 bat|fledermaus
🐺 wolf|wolf
🐴 horse|pferd
🦄 unicorn|einhorn
🐝 bee|biene
🐛 bug caterpillar|raupe
🦋 butterfly|schmetterling
🐌 snail|schnecke
🐞 ladybug|marienkäfer
🐜 ant|ameise
🕷️ spider|spinne
🐢 turtle|schildkröte
🐍 snake|schlange
🦎 lizard|eidechse
🐙 octopus|krake
🦀 crab|krabbe
🐠 fish tropical clownfish|fisch clownfisch
🐟 fish|fisch
🐬 dolphin|delfin
🐳 whale|wal
🦈 shark|hai
🪸 coral|koralle
🐊 crocodile|krokodil
🐘 elephant|elefant
🦒 giraffe|giraffe
🐑 sheep|schaf
🐐 goat|ziege
🦌 deer|hirsch
🦔 hedgehog|igel
🐿️ squirrel|eichhörnchen
🐾 paws|pfoten
🐉 dragon|drache
🦕 dinosaur|dinosaurier
🌵 cactus|kaktus
🎄 christmas tree|weihnachtsbaum
🌲 fir tree|tanne baum
🌳 tree|baum
🌴 palm|palme
🌱 seedling grow|keimling wachsen
🌿 herb|kräuter
🍀 clover luck|klee glück
🍁 maple leaf autumn|ahorn blatt herbst
🍂 leaves autumn|blätter herbst
🍄 mushroom|pilz
💐 bouquet flowers|blumenstrauß
🌷 tulip|tulpe
🌹 rose|rose
🌻 sunflower|sonnenblume
🌸 blossom|blüte
🌺 hibiscus|hibiskus
🌍 earth world|erde welt
🌙 moon|mond
🌚 new moon face|neumond
🌝 full moon face|vollmond
☀️ sun|sonne
⭐ star|stern
🌟 glowing star|leuchtender stern
✨ sparkles|funkeln
⚡ lightning|blitz
🔥 fire hot|feuer heiß
🌈 rainbow|regenbogen
☁️ cloud|wolke
⛅ sun cloud|sonne wolke
🌧️ rain|regen
⛈️ storm|gewitter
❄️ snowflake|schneeflocke
☃️ snowman|schneemann
💧 drop water|tropfen wasser
🌊 wave sea|welle meer
`;

const FOOD = `
🍏 green apple|grüner apfel
🍎 apple|apfel
🍐 pear|birne
🍊 orange|orange
🍋 lemon|zitrone
🍌 banana|banane
🍉 melon|melone
🍇 grapes|trauben
🍓 strawberry|erdbeere
🫐 blueberries|heidelbeeren
🍒 cherries|kirschen
🍑 peach|pfirsich
🥭 mango|mango
🍍 pineapple|ananas
🥥 coconut|kokosnuss
🥝 kiwi|kiwi
🍅 tomato|tomate
🍆 eggplant|aubergine
🥑 avocado|avocado
🥦 broccoli|brokkoli
🥒 cucumber|gurke
🌶️ chili|chili
🌽 corn|mais
🥕 carrot|karotte
🥔 potato|kartoffel
🧄 garlic|knoblauch
🧅 onion|zwiebel
🥐 croissant|croissant
🍞 bread|brot
🥖 baguette|baguette
🥨 pretzel|brezel
🧀 cheese|käse
🥚 egg|ei
🍳 fried egg|spiegelei
🥞 pancakes|pfannkuchen
🧇 waffle|waffel
🥓 bacon|speck
🍗 chicken leg|hähnchen
🌭 hot dog|hotdog
🍔 burger|burger
🍟 fries|pommes
🍕 pizza|pizza
🥪 sandwich|sandwich
🌮 taco|taco
🥗 salad|salat
🍝 pasta spaghetti|nudeln spaghetti
🍜 noodles soup|nudelsuppe
🍲 stew|eintopf
🍣 sushi|sushi
🍚 rice|reis
🥟 dumpling|teigtasche
🍦 ice cream|eis softeis
🍨 ice cream bowl|eisbecher
🍩 donut|donut
🍪 cookie|keks
🎂 birthday cake|geburtstagskuchen torte
🍰 cake|kuchen
🧁 cupcake|muffin
🍫 chocolate|schokolade
🍬 candy|bonbon
🍿 popcorn|popcorn
🍯 honey|honig
☕ coffee|kaffee
🍵 tea|tee
🧃 juice|saft
🥤 drink cup|getränk becher
🍺 beer|bier
🍻 beers cheers|biere prost
🥂 champagne cheers|sekt prost
🍷 wine|wein
🍸 cocktail|cocktail
🥃 whisky|whisky
🍾 bottle celebrate|flasche feiern
🍽️ dinner plate|essen teller
`;

const ACTIVITY = `
🎉 party tada congratulations|party glückwunsch
🎊 confetti|konfetti
🎈 balloon|luftballon
🎁 gift present|geschenk
🎀 ribbon|schleife
🎃 pumpkin halloween|kürbis halloween
🎆 fireworks|feuerwerk
🏆 trophy win|pokal gewinnen
🥇 gold medal first|goldmedaille erster
🥈 silver medal|silbermedaille
🥉 bronze medal|bronzemedaille
🏅 medal|medaille
⚽ soccer football|fußball
🏀 basketball|basketball
🏈 american football|american football
🎾 tennis|tennis
🏐 volleyball|volleyball
🏓 table tennis|tischtennis
🏸 badminton|badminton
🥊 boxing|boxen
⛳ golf|golf
🎣 fishing|angeln
🎿 ski|ski
🏂 snowboard|snowboard
🏊 swim|schwimmen
🏄 surf|surfen
🚴 cycling bike|radfahren
🧗 climb|klettern
🎮 game controller|spiel controller
🎲 dice|würfel
🧩 puzzle|puzzle
♟️ chess|schach
🎯 target darts|ziel dart
🎳 bowling|bowling
🎨 art palette|kunst palette
🎭 theatre|theater
🎬 film|film
🎤 microphone sing|mikrofon singen
🎧 headphones music|kopfhörer musik
🎵 music note|musik note
🎶 music notes|musik noten
🎸 guitar|gitarre
🎹 piano|klavier
🎺 trumpet|trompete
🎻 violin|geige
🥁 drum|trommel
🎟️ ticket|eintrittskarte
`;

const TRAVEL = `
🚗 car|auto
🚕 taxi|taxi
🚌 bus|bus
🚒 fire engine|feuerwehrauto
🚑 ambulance|krankenwagen
🚓 police car|polizeiauto
🚜 tractor|traktor
🏍️ motorcycle|motorrad
🚲 bicycle|fahrrad
🛴 scooter|roller
🚂 train steam|dampflok
🚆 train|zug
🚇 metro|u-bahn
🚊 tram|straßenbahn
✈️ plane flight|flugzeug flug
🛫 departure|abflug
🛬 arrival|ankunft
🚀 rocket|rakete
🛸 ufo|ufo
🚁 helicopter|hubschrauber
⛵ sailboat|segelboot
🚢 ship|schiff
⚓ anchor|anker
⛽ fuel|tanken
🚦 traffic light|ampel
🗺️ map|karte
🧭 compass|kompass
🏔️ mountain snow|berg schnee
⛰️ mountain|berg
🌋 volcano|vulkan
🏕️ camping tent|camping zelt
🏖️ beach|strand
🏝️ island|insel
🏠 house home|haus zuhause
🏡 house garden|haus garten
🏢 office|büro
🏥 hospital|krankenhaus
🏫 school|schule
🏰 castle|schloss burg
⛪ church|kirche
🕌 mosque|moschee
🗼 tower|turm
🎡 ferris wheel|riesenrad
🎢 roller coaster|achterbahn
🌅 sunrise|sonnenaufgang
🌃 night stars|nacht sterne
🌉 bridge|brücke
🧳 luggage|koffer
`;

const THINGS = `
⌚ watch|uhr
📱 phone mobile|handy telefon
💻 laptop computer|laptop computer
⌨️ keyboard|tastatur
🖨️ printer|drucker
📷 camera photo|kamera foto
📹 video camera|videokamera
📺 television|fernseher
📻 radio|radio
☎️ telephone|telefon
🔋 battery|batterie
🔌 plug|stecker
💡 idea bulb|idee glühbirne
🔦 flashlight|taschenlampe
🕯️ candle|kerze
💸 money wings|geld weg
💶 euro|euro
💰 money bag|geldsack
💳 card|karte
💎 gem|edelstein
⚖️ scales|waage
🔧 wrench|schraubenschlüssel
🔨 hammer|hammer
🛠️ tools|werkzeug
⚙️ gear|zahnrad
🔗 link|kette link
🧲 magnet|magnet
🔬 microscope|mikroskop
🔭 telescope|teleskop
💊 pill|tablette
💉 syringe|spritze
🩹 plaster|pflaster
🚪 door|tür
🛏️ bed|bett
🛋️ sofa|sofa
🚿 shower|dusche
🧹 broom|besen
🧺 basket laundry|korb wäsche
🧻 paper roll|papierrolle
🧼 soap|seife
🪥 toothbrush|zahnbürste
🔑 key|schlüssel
🔒 lock|schloss zu
🔓 unlock|schloss offen
🎒 backpack|rucksack
👓 glasses|brille
👕 shirt|hemd t-shirt
👖 jeans|hose jeans
👗 dress|kleid
👟 shoe|schuh
👑 crown|krone
🎩 hat|hut
☂️ umbrella|schirm
💄 lipstick|lippenstift
💍 ring|ring
📚 books|bücher
📖 book|buch
📰 newspaper|zeitung
📝 note memo|notiz
✏️ pencil|bleistift
🖊️ pen|stift
📎 paperclip|büroklammer
📌 pin|pinnnadel
📍 location|ort
✂️ scissors|schere
📅 calendar|kalender
📈 chart up|diagramm hoch
📉 chart down|diagramm runter
📦 package|paket
✉️ letter mail|brief post
📧 email|e-mail
🗑️ bin|mülleimer
⏰ alarm clock|wecker
⏳ hourglass|sanduhr
🔔 bell|glocke
🔕 no bell|glocke aus
📢 loudspeaker|lautsprecher
🧸 teddy|teddy
🪄 magic wand|zauberstab
🛒 shopping cart|einkaufswagen
`;

const SIGNS = `
✅ check done yes|haken erledigt ja
☑️ box checked|kästchen haken
✔️ check mark|haken
❌ cross no wrong|kreuz nein falsch
❎ cross button|kreuz knopf
❓ question|frage
❗ exclamation important|ausrufezeichen wichtig
⁉️ what|was
‼️ double exclamation|doppeltes ausrufezeichen
⚠️ warning|warnung
🚫 forbidden|verboten
⛔ no entry|keine einfahrt
🆗 ok|ok
🆕 new|neu
🆒 cool|cool
🆘 sos help|sos hilfe
🔝 top|oben
🔜 soon|bald
🔙 back|zurück
➕ plus|plus
➖ minus|minus
➗ divide|geteilt
✖️ times|mal
♾️ infinity|unendlich
♻️ recycle|recycling
🔁 repeat|wiederholen
🔄 refresh|aktualisieren
▶️ play|abspielen
⏸️ pause|pause
⏩ forward fast|vorspulen
⬆️ up arrow|pfeil hoch
⬇️ down arrow|pfeil runter
➡️ right arrow|pfeil rechts
⬅️ left arrow|pfeil links
↩️ return arrow|pfeil zurück
🔴 red circle|roter kreis
🟠 orange circle|oranger kreis
🟡 yellow circle|gelber kreis
🟢 green circle|grüner kreis
🔵 blue circle|blauer kreis
🟣 purple circle|lila kreis
⚫ black circle|schwarzer kreis
⚪ white circle|weißer kreis
1️⃣ one|eins
2️⃣ two|zwei
3️⃣ three|drei
4️⃣ four|vier
5️⃣ five|fünf
🔟 ten|zehn
☮️ peace|frieden
☯️ yin yang|yin yang
♥️ heart suit|herz karte
🕐 one o'clock time|ein uhr zeit
`;

const FLAGS = `
🏁 finish|ziel
🚩 red flag|rote fahne
🏳️ white flag|weiße fahne
🏳️‍🌈 rainbow pride|regenbogen pride
🏳️‍⚧️ transgender|transgender
🏴‍☠️ pirate|pirat
🇪🇺 europe|europa
🇺🇳 united nations|vereinte nationen
🇦🇹 austria|österreich
🇦🇺 australia|australien
🇧🇪 belgium|belgien
🇧🇷 brazil|brasilien
🇨🇦 canada|kanada
🇨🇭 switzerland|schweiz
🇨🇳 china|china
🇨🇿 czechia|tschechien
🇩🇪 germany|deutschland
🇩🇰 denmark|dänemark
🇪🇸 spain|spanien
🇫🇮 finland|finnland
🇫🇷 france|frankreich
🇬🇧 united kingdom|großbritannien
🇬🇷 greece|griechenland
🇭🇷 croatia|kroatien
🇭🇺 hungary|ungarn
🇮🇪 ireland|irland
🇮🇱 israel|israel
🇮🇳 india|indien
🇮🇹 italy|italien
🇯🇵 japan|japan
🇰🇷 korea|korea
🇲🇽 mexico|mexiko
🇳🇱 netherlands|niederlande
🇳🇴 norway|norwegen
🇵🇱 poland|polen
🇵🇹 portugal|portugal
🇷🇴 romania|rumänien
🇸🇪 sweden|schweden
🇹🇷 turkey|türkei
🇺🇦 ukraine|ukraine
🇺🇸 united states america|usa amerika
🇿🇦 south africa|südafrika
`;

export type GroupName =
  | "faces"
  | "people"
  | "nature"
  | "food"
  | "activity"
  | "travel"
  | "things"
  | "signs"
  | "flags";

export interface Emoji {
  emoji: string;
  /** By language. */
  names: { en: string; de: string };
}

export interface EmojiGroup {
  name: GroupName;
  emoji: Emoji[];
}

function parsed(name: GroupName, lines: string): EmojiGroup {
  const emoji = lines
    .trim()
    .split("\n")
    .map((line) => {
      const space = line.indexOf(" ");
      const [en = "", de = ""] = line.slice(space + 1).split("|");
      return { emoji: line.slice(0, space), names: { en, de } };
    });
  return { name, emoji };
}

export const GROUPS: readonly EmojiGroup[] = [
  parsed("faces", FACES),
  parsed("people", PEOPLE),
  parsed("nature", NATURE),
  parsed("food", FOOD),
  parsed("activity", ACTIVITY),
  parsed("travel", TRAVEL),
  parsed("things", THINGS),
  parsed("signs", SIGNS),
  parsed("flags", FLAGS),
];

/** Emoji whose names, in either language, have words that begin like those that are wanted. */
export function search(wanted: string): Emoji[] {
  const words = wanted.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const found: Emoji[] = [];
  for (const { emoji } of GROUPS) {
    for (const one of emoji) {
      const names = `${one.names.en} ${one.names.de}`.split(" ");
      if (words.every((word) => names.some((name) => name.startsWith(word)) || one.emoji === word)) {
        found.push(one);
      }
    }
  }
  return found;
}

/** What an emoji is called in a language. */
export function nameOf(one: Emoji, language: string): string {
  return language === "de" ? one.names.de : one.names.en;
}
