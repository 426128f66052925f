#!/bin/sh
# Makes the words of the built-in announcements and replies: <language>/<name>.wav, 8 kHz,
# mono, A-law (8 kB a second). Needs espeak-ng and sox (Debian packages of these
# names). Run it after a change to a text below and commit the files; the same
# versions of both make the same bytes, another espeak-ng may speak a little
# differently. Made with espeak-ng 1.51 and sox 14.4.2.
#
# The texts are the product's own, and so is what is spoken: what espeak-ng (GPL-3.0)
# says is not a work derived from it. The files are under the product's licence.
set -eu
cd "$(dirname "$0")"
spoken=$(mktemp --suffix=.wav)
trap 'rm -f "$spoken"' EXIT

# say NAME TEXT: without silence round it, so that words can be put together.
say() {
	mkdir -p "$language"
	espeak-ng -v "$voice" -s 150 -p 45 -w "$spoken" "$2"
	sox -D -R "$spoken" -r 8000 -c 1 -e a-law "$language/$1.wav" \
		gain -2 highpass 150 gain -n -6 silence 1 0.01 0.3% fade t 0.005 \
		reverse silence 1 0.01 0.3% fade t 0.015 reverse pad 0.02 0.04
}

# list FIRST STEP WORD…: the numbers first, first+step, …
list() {
	n=$1 step=$2
	shift 2
	for word; do
		say "$n" "$word"
		n=$((n + step))
	done
}

language=en voice=en-gb
say next "You are next in the queue."
say position "Your position in the queue is"
say wait "The expected waiting time is"
say less-than-a-minute "less than a minute."
say more-than-an-hour "more than an hour."
say minute-one "minute."
say minute-many "minutes."
say and "and"
list 1 1 one two three four five six seven eight nine ten eleven twelve thirteen \
	fourteen fifteen sixteen seventeen eighteen nineteen
list 20 10 twenty thirty forty fifty sixty seventy eighty ninety
list 100 100 "one hundred" "two hundred" "three hundred" "four hundred" "five hundred" \
	"six hundred" "seven hundred" "eight hundred" "nine hundred"
say 0 zero
say all-groups "All your groups."
say available "You are available."
say call "A call for you."
say call-for-group "A call for group"
say day-over "Your work day is over."
say echo "Echo test. You hear what you say."
say group "Group"
say leave "You are on leave."
say logged-in "logged in."
say logged-out "logged out."
say no-extension "You have no extension."
say not-done "That was not done."
say not-parked "The call could not be parked."
say not-registered "Your phone is not registered."
say nothing-parked "Nothing is parked in slot"
say nothing-to-pick-up "There is no call to pick up."
say on-break "You are on a break."
say other-call "You have another call."
say parked "The call is parked in slot"
say press-one "Press one to take it."
say reason "Reason"
say wrap-up "You are in wrap-up."
say your-extension "Your extension is"

language=pl voice=pl
say next "Państwa połączenie jest następne w kolejce."
say position "Państwa numer w kolejce to"
say wait "Przewidywany czas oczekiwania to"
say less-than-a-minute "mniej niż minuta."
say more-than-an-hour "ponad godzina."
say minute-one "minuta."
say minute-few "minuty."
say minute-many "minut."
list 1 1 jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć jedenaście dwanaście \
	trzynaście czternaście piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście
say 1f jedna
say 2f dwie
list 20 10 dwadzieścia trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt \
	osiemdziesiąt dziewięćdziesiąt
list 100 100 sto dwieście trzysta czterysta pięćset sześćset siedemset osiemset dziewięćset
say 0 zero
say all-groups "Wszystkie grupy."
say available "Status: dostępny."
say call "Połączenie do odebrania."
say call-for-group "Połączenie dla grupy"
say day-over "Dzień pracy zakończony."
say echo "Test echa. Usłyszysz to, co powiesz."
say group "Grupa"
say leave "Status: nieobecność."
say logged-in "zalogowano."
say logged-out "wylogowano."
say no-extension "Nie masz numeru wewnętrznego."
say not-done "Nie wykonano."
say not-parked "Nie udało się zaparkować połączenia."
say not-registered "Telefon nie jest zarejestrowany."
say nothing-parked "Nic nie jest zaparkowane na miejscu"
say nothing-to-pick-up "Nie ma połączenia do przejęcia."
say on-break "Status: przerwa."
say other-call "Trwa inne połączenie."
say parked "Połączenie zaparkowane na miejscu"
say press-one "Aby je odebrać, naciśnij jeden."
say reason "Powód"
say wrap-up "Status: praca po rozmowie."
say your-extension "Twój numer wewnętrzny to"

language=ru voice=ru
say next "Ваш звонок следующий."
say position "Ваш номер в очереди"
say wait "Примерное время ожидания"
say less-than-a-minute "меньше минуты."
say more-than-an-hour "больше часа."
say minute-one "минута."
say minute-few "минуты."
say minute-many "минут."
list 1 1 один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать \
	тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать
say 1f одна
say 2f две
list 20 10 двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто
list 100 100 сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот
say 0 ноль
say all-groups "Все группы."
say available "Вы на линии."
say call "Звонок для вас."
say call-for-group "Звонок для группы"
say day-over "Рабочий день окончен."
say echo "Эхо-тест. Вы услышите то, что скажете."
say group "Группа"
say leave "Вы в отпуске."
say logged-in "вход выполнен."
say logged-out "выход выполнен."
say no-extension "У вас нет внутреннего номера."
say not-done "Не выполнено."
say not-parked "Не удалось поставить звонок на парковку."
say not-registered "Телефон не зарегистрирован."
say nothing-parked "Нет звонка на парковке, место"
say nothing-to-pick-up "Нет звонка для перехвата."
say on-break "Вы на перерыве."
say other-call "У вас другой звонок."
say parked "Звонок на парковке, место"
say press-one "Чтобы ответить, нажмите один."
say reason "Причина"
say wrap-up "Время обработки звонка."
say your-extension "Ваш внутренний номер"
